package configs

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// upstream checks one API: where it is, what is sent, how people sign in.
func (ck *checker) upstream(name string, u *Upstream) {
	path := child("upstreams", name)
	if !isLabel(name) {
		ck.refuse(path, "the name of an upstream has letters, digits, \".\", \"_\" and \"-\", at most 64", "")
	}
	if host := ck.url(child(path, "url"), u.URL); host != "" {
		ck.transport(path, u, host)
		ck.ownHost(child(path, "url"), u.URL)
	}
	ck.calledBy(path, u)
	for i, p := range u.PrivatePaths {
		ck.complain(item(child(path, "private_paths"), i), checkPath(p))
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
}

// calledBy checks what an API is called by, where that is not its URL's host.
func (ck *checker) calledBy(path string, u *Upstream) {
	if host, port := splitPort(u.Host); u.Host != "" && !ck.complain(child(path, "host"), checkHost(host)) && (port != "" && !isPort(port) || strings.HasSuffix(u.Host, ":")) {
		ck.refuse(child(path, "host"), "the port is no number from 1 to 65535", host)
	}
	at := child(path, "tls_server_name")
	switch {
	case u.TLSServerName == "":
	case ck.complain(at, checkBareHost(u.TLSServerName)):
	case !strings.HasPrefix(u.URL, "https://"):
		ck.refuse(at, "this means nothing without https", "host: "+u.TLSServerName)
	}
}

// url checks an absolute http(s) URL and returns its host; "" where it is faulty or empty.
func (ck *checker) url(path, value string) string {
	if value == "" {
		return ""
	}
	u, err := url.Parse(value)
	switch {
	case err != nil:
		ck.complain(path, complaint{"this is not a URL", likelyURL(value)})
	case u.Scheme != "http" && u.Scheme != "https" || u.Opaque != "":
		ck.complain(path, complaint{"an absolute URL is wanted, https:// in front", likelyURL(value)})
	case u.User != nil:
		ck.refuse(path, "a URL here has no user name and password", "basic: [\"${ID}\", \"${SECRET}\"] in the request, or send: {headers: …}")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(value, "#"):
		ck.refuse(path, "a URL here has neither query nor fragment", "query: {…} in the request")
	case u.Port() == "" && strings.HasSuffix(u.Host, ":") || u.Port() != "" && !isPort(u.Port()):
		ck.refuse(path, "the port is no number from 1 to 65535", "")
	case u.Path != "" && ck.complain(path, checkPath(u.EscapedPath())):
	case ck.complain(path, checkHost(strings.ToLower(urlHost(u)))):
	default:
		return strings.ToLower(urlHost(u))
	}
	return ""
}

// likelyURL is what somebody meant who left the scheme out.
func likelyURL(value string) string {
	_, rest, has := strings.Cut(value, "://")
	if !has {
		rest = value
	}
	u, err := url.Parse("https://" + rest)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || checkHost(urlHost(u)).is() || u.Port() != "" && !isPort(u.Port()) ||
		u.Path != "" && checkPath(u.EscapedPath()).is() {
		return "https://api.example.net"
	}
	if isLoopback(urlHost(u)) {
		u.Scheme = "http"
	}
	return u.String()
}

// urlHost is a URL's host without port, IPv6 in brackets.
func urlHost(u *url.URL) string {
	host, _ := splitPort(u.Host)
	return host
}

// transport checks what the way to the API is secured with.
func (ck *checker) transport(path string, u *Upstream, host string) {
	plain := strings.HasPrefix(u.URL, "http://")
	switch {
	case plain && !isLoopback(host) && !u.InsecureHTTP:
		ck.refuse(child(path, "url"), "passwords and tokens would travel in clear", "https://, or insecure_http: true where the network itself is private")
	case plain && !isLoopback(host):
		ck.warn(child(path, "insecure_http"), "passwords and tokens travel in clear", "https://")
	case plain && (u.CA != "" || u.ClientCert != ""):
		ck.refuse(child(path, "url"), "certificates mean nothing without https", "https://")
	}
	if (u.ClientCert == "") != (u.ClientKey == "") {
		ck.refuse(path, "client_cert and client_key belong together", "")
	}
}

// ownHost refuses an upstream that is Coatcheck itself: a call would go round for ever.
func (ck *checker) ownHost(path, value string) {
	u, _ := url.Parse(value)
	host, port := strings.ToLower(urlHost(u)), u.Port()
	if port == "" {
		port = defaultPort(u.Scheme)
	}
	loops := ck.listensAt(host, port)
	for _, f := range ck.config.Frontends {
		loops = loops || slices.Contains(f.authorities(), host+":"+port)
	}
	if loops {
		ck.refuse(path, "this is Coatcheck's own address: a call would go round for ever", "the address of the API itself")
	}
}

// listensAt reports whether host and port reach the public listener of this machine.
func (ck *checker) listensAt(host, port string) bool {
	own, ownPort := splitPort(ck.config.Listen)
	if port != ownPort || !isLoopback(host) {
		return false
	}
	own = strings.Trim(own, "[]")
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return isEvery(own) || own == host || isLoopback(own) && (err != nil || own == addr.String())
}

// authorities are the addresses, host:port, at which the frontend is reached.
func (f *Frontend) authorities() []string {
	var list []string
	if f.IsDoor() && f.Host != "" {
		list = append(list, f.Host+":"+defaultPort(f.Scheme()))
	}
	for _, o := range f.Origins {
		scheme, rest, _ := strings.Cut(o, "://")
		host, port := splitPort(rest)
		if port == "" {
			port = defaultPort(scheme)
		}
		switch own, ownPort := splitPort(f.Host); {
		case f.Host == "" || f.Host == host:
			list = append(list, host+":"+port)
		case ownPort != "":
			list = append(list, own+":"+ownPort)
		default:
			list = append(list, f.Host+":"+defaultPort(scheme))
		}
	}
	return list
}
