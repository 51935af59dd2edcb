// Package upstreams says what cannot work in the upstreams of a configuration: where an API
// is, what is sent to it, how people and accounts sign in there, and what follows.
package upstreams

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"coatcheck/configs"
	"coatcheck/configs/check/checker"
	"coatcheck/configs/rule"
	"coatcheck/upstream"
)

// Each part of an upstream has a check of its own. What stands first in one is the check
// that it makes use of.
type (
	mappingCheck  struct{ *checker.Checker } // requests, answers and values of a mapping
	signInCheck   struct{ mappingCheck }     // how people sign in at an API, and what follows
	accountCheck  struct{ signInCheck }      // how Coatcheck itself signs in there
	upstreamCheck struct{ accountCheck }
)

// Check checks each upstream.
func Check(ck *checker.Checker) {
	for _, name := range slices.Sorted(maps.Keys(ck.Config.Upstreams)) {
		upstreamCheck{accountCheck{signInCheck{mappingCheck{ck}}}}.upstream(name, ck.Config.Upstreams[name])
	}
}

// upstream checks one API: where it is, what is sent, how people sign in.
func (ck upstreamCheck) upstream(name string, u *configs.Upstream) {
	path := child("upstreams", name)
	if !rule.IsLabel(name) {
		ck.Refuse(path, "the name of an upstream has letters, digits, \".\", \"_\" and \"-\", at most 64", "")
	}
	if socket, base, is := upstream.SocketPath(u.URL); is {
		ck.behindSocket(path, u, socket, base)
	} else if host := ck.URL(child(path, "url"), u.URL); host != "" {
		ck.transport(path, u, host)
		ck.proxy(child(path, "proxy"), u)
		ck.ownHost(child(path, "url"), u.URL)
	}
	ck.calledBy(path, u)
	for i, p := range u.PrivatePaths {
		ck.Complain(item(child(path, "private_paths"), i), rule.Path(p))
	}
	ck.send(path, u)
	if u.Login != nil {
		ck.login(path, name, u)
	}
	ck.ways(path, u)
	ck.stale(path, u)
	ck.afterwards(path, u)
	ck.accounts(path, name, u)
	ck.closing(path, name, u)
	ck.exchangeAt(path, name, u)
	ck.takesBound(path, name, u)
}

// calledBy checks what an API is called by, where that is not its URL's host.
func (ck upstreamCheck) calledBy(path string, u *configs.Upstream) {
	if host, port := rule.SplitPort(u.Host); u.Host != "" && !ck.Complain(child(path, "host"), rule.Host(host)) && (port != "" && !rule.IsPort(port) || strings.HasSuffix(u.Host, ":")) {
		ck.Refuse(child(path, "host"), "port must be a number from 1 to 65535", host)
	}
	at := child(path, "tls_server_name")
	switch {
	case u.TLSServerName == "":
	case ck.Complain(at, rule.BareHost(u.TLSServerName)):
	case !strings.HasPrefix(u.URL, "https://"):
		ck.Refuse(at, "only used with https", "host: "+u.TLSServerName)
	}
}

// transport checks what the way to the API is secured with.
func (ck upstreamCheck) transport(path string, u *configs.Upstream, host string) {
	plain := strings.HasPrefix(u.URL, "http://")
	switch {
	case plain && !rule.IsLoopback(host) && !u.InsecureHTTP:
		ck.Refuse(child(path, "url"), "passwords and tokens would be sent unencrypted", "https://, or insecure_http: true where the network itself is private")
	case plain && !rule.IsLoopback(host):
		ck.Warn(child(path, "insecure_http"), "passwords and tokens are sent unencrypted", "https://")
	}
	if plain && (u.CA != "" || u.ClientCert != "") {
		ck.Refuse(child(path, "url"), "certificates are only used with https", "https://")
	}
	if (u.ClientCert == "") != (u.ClientKey == "") {
		ck.Refuse(path, "client_cert and client_key must be set together", "")
	}
}

// ownHost refuses an upstream that is Coatcheck itself: a call would go round forever.
func (ck upstreamCheck) ownHost(path, value string) {
	u, _ := url.Parse(value)
	host, port := strings.ToLower(rule.URLHost(u)), u.Port()
	if port == "" {
		port = rule.DefaultPort(u.Scheme)
	}
	loops := ck.ListensAt(host, port)
	for _, f := range ck.Config.Frontends {
		loops = loops || slices.Contains(f.Authorities(), host+":"+port) || f.Host == "" && slices.ContainsFunc(f.Patterns(), func(p rule.Pattern) bool { return p.Holds([]byte(host)) })
	}
	if loops {
		ck.Refuse(path, "Coatcheck's own address: requests would loop", "the address of the API itself")
	}
}
