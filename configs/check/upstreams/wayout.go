package upstreams

import (
	"strings"

	"coatcheck/configs"
	"coatcheck/configs/rule"
	"coatcheck/upstream"
)

// proxy checks the forward proxy on the way to an API. Its password is never repeated.
func (ck upstreamCheck) proxy(path string, u *configs.Upstream) {
	p, err := upstream.ParseProxy(u.Proxy.Reveal())
	switch {
	case err != nil:
		ck.Refuse(path, err.Error(), "http://proxy.example.com:3128")
	case p == nil:
	case strings.HasPrefix(u.URL, "http://") && u.Host != "":
		ck.Refuse(path, "a proxy for plain http connects to the host that the request names, so host would lead it elsewhere", "remove host, or https:// in url")
	}
}

// behindSocket checks an API behind a Unix socket, to which nothing else leads.
func (ck upstreamCheck) behindSocket(path string, u *configs.Upstream, socket, base string) {
	at := child(path, "url")
	own, listens, _ := rule.ParseSocket(ck.Config.Listen)
	_, _, fault := rule.ParseSocket("unix:" + socket)
	switch {
	case strings.Contains(socket, "?"):
		ck.Refuse(at, "a socket that is connected to has no mode", "unix:/run/api.sock")
	case ck.Complain(at, fault):
	case base != "" && ck.Complain(at, rule.Path(base)):
	case listens && own.Path == socket:
		ck.Refuse(at, "this is Coatcheck's own socket: a call would never end", "the API's socket")
	}
	for key, set := range map[string]bool{"ca": u.CA != "", "client_cert": u.ClientCert != "", "client_key": u.ClientKey != "",
		"insecure_http": u.InsecureHTTP, "proxy": !u.Proxy.IsEmpty()} {
		if set {
			ck.Refuse(child(path, key), "not used with a Unix socket", "remove it")
		}
	}
}
