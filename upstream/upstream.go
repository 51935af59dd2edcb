// Package upstream says where an API is, opens connections to it, and names what can go
// wrong on the way. It is what the data plane and the control plane share:
//
//   - forward carries the calls of pages (the data plane),
//   - mapping is the language in which a configuration describes an API's sign-in,
//   - signin signs people in by such a mapping (the control plane),
//   - trial shows an operator what a mapping makes of a real sign-in.
//
// Both planes dial through one [Dialer], so that what is trusted, and for how long a
// connection is waited for, cannot differ between them; and both name their failures by
// the sentinels and the one table of reasons here.
package upstream

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// Address is where an API is: its URL, taken apart once.
type Address struct {
	// Scheme is http or https.
	Scheme string
	// Host is what the Host header says: in lower case, IPv6 in brackets, without the
	// scheme's default port.
	Host string
	// Path is the base path as written, without a slash at its end; empty: none.
	Path string

	name   string // the host without brackets and port, for TLS
	dial   string // host:port, or the path of a socket
	socket bool
}

func (a *Address) network() string {
	if a.socket {
		return "unix"
	}
	return "tcp"
}

// SocketPath takes the address of an API behind a Unix socket apart,
// unix:/run/api.sock[:/path] as nginx writes it; ok is false for any other address.
func SocketPath(raw string) (socket, path string, ok bool) {
	rest, ok := strings.CutPrefix(raw, "unix:")
	if !ok {
		return "", "", false
	}
	socket, path, _ = strings.Cut(rest, ":")
	return socket, path, true
}

// parseSocket reads the address of an API behind a Unix socket. It is called localhost,
// unless the configuration names it otherwise.
func parseSocket(socket, path string) (*Address, error) {
	u, err := url.Parse(path)
	if !strings.HasPrefix(socket, "/") || err != nil || path != "" && (path[0] != '/' || u.Host != "" || u.RawQuery != "" || u.Fragment != "") {
		return nil, errors.New("url is not unix:/absolute/path.sock[:/path]")
	}
	return &Address{Scheme: "http", Host: "localhost", name: "localhost", Path: strings.TrimRight(u.EscapedPath(), "/"), dial: socket, socket: true}, nil
}

// ParseURL reads an API's URL, scheme://host[:port][/path], or unix:/run/api.sock[:/path].
// It fails where there is anything else in it, or another scheme than http and https.
func ParseURL(raw string) (*Address, error) {
	if socket, path, ok := SocketPath(raw); ok {
		return parseSocket(socket, path)
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("url is not scheme://host[:port][/path]")
	}
	ports := map[string]string{"http": "80", "https": "443"}
	port, known := ports[u.Scheme]
	if !known {
		return nil, errors.New("url's scheme is neither https nor http")
	}
	name := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if name == "" {
		return nil, errors.New("url has no host")
	}
	a := &Address{Scheme: u.Scheme, Path: strings.TrimRight(u.EscapedPath(), "/"), Host: bracketed(name), name: name}
	if p := u.Port(); p != "" && p != port {
		port, a.Host = p, net.JoinHostPort(name, p)
	}
	a.dial = net.JoinHostPort(name, port)
	return a, nil
}

// Called is the same server under another name: what the Host header says, and what the
// server's own addresses begin with. Connections still go to the URL's host. An empty
// host, host[:port] in lower case, changes nothing.
func (a *Address) Called(host string) *Address {
	if host == "" {
		return a
	}
	other := *a
	other.Host = host
	return &other
}

// IsServer reports whether b may be the same server: one it is called by the same name,
// or connections to it go to the same place.
func (a *Address) IsServer(b *Address) bool { return a.Origin() == b.Origin() || a.dial == b.dial }

// bracketed writes a host as it stands in a URL (RFC 3986 §3.2.2).
func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// Origin is the part of the URL in front of the path: scheme://host[:port].
func (a *Address) Origin() string { return a.Scheme + "://" + a.Host }

// URL is the whole address: origin and base path.
func (a *Address) URL() string { return a.Origin() + a.Path }

// IsLoopback reports whether the server is on this machine (RFC 6761 §6.3).
func (a *Address) IsLoopback() bool {
	ip, err := netip.ParseAddr(a.name)
	return a.socket || a.name == "localhost" || strings.HasSuffix(a.name, ".localhost") || err == nil && ip.IsLoopback()
}
