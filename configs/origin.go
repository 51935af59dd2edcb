package configs

import (
	"strings"
)

// checkOrigin holds s against the serialised form of an origin (RFC 6454 §6.2),
// because it is compared byte for byte with what browsers send.
func checkOrigin(s string) complaint { return settled(s, originFault(s), originFault) }

func originFault(s string) complaint {
	scheme, rest, ok := strings.Cut(s, "://")
	switch {
	case strings.Contains(s, "*"):
		return complaint{"a wildcard would let every site in", "list each origin"}
	case s == "null":
		return complaint{"null is the origin of no page of yours", "list each origin, https://shop.example.com"}
	case !ok:
		return complaint{"an origin is scheme and host", "https://" + s}
	case s != strings.ToLower(s):
		return complaint{"origins are written in lower case", strings.ToLower(s)}
	case scheme != "https" && scheme != "http":
		return complaint{"the pages of a frontend come over https", ""}
	case strings.ContainsAny(rest, "/?#"):
		return complaint{"an origin has no path", scheme + "://" + rest[:strings.IndexAny(rest, "/?#")]}
	case strings.Contains(rest, "@"):
		return complaint{"an origin has no user name", ""}
	}
	return checkAuthority(scheme, rest)
}

func checkAuthority(scheme, authority string) complaint {
	host, port := splitPort(authority)
	if c := checkHost(host); c.is() {
		if c.hint != "" {
			c.hint = strings.TrimSuffix(scheme+"://"+c.hint+":"+port, ":")
		}
		return c
	}
	switch {
	case strings.HasSuffix(authority, ":") || port != "" && !isPort(port):
		return complaint{"the port is no number from 1 to 65535", scheme + "://" + host}
	case port == defaultPort(scheme):
		return complaint{"browsers leave the default port out of an origin", scheme + "://" + host}
	case scheme == "http" && !isLoopback(host):
		return complaint{"plain http is for loopback hosts only (localhost, *.localhost, 127.0.0.0/8, [::1])", strings.TrimSuffix("https://"+host+":"+port, ":")}
	}
	return complaint{}
}

// originHost is an origin's host without its port, in lower case.
func originHost(origin string) string {
	_, host, _ := strings.Cut(origin, "://")
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host = host[:i]
	}
	return strings.ToLower(host)
}
