package rule

import (
	"strings"
)

// Origin holds s against the serialised form of an origin (RFC 6454 §6.2),
// because it is compared byte for byte with what browsers send.
func Origin(s string) Complaint { return settled(s, originFault(s), originFault) }

func originFault(s string) Complaint {
	scheme, rest, ok := strings.Cut(s, "://")
	switch {
	case strings.Contains(s, "*"):
		return Complaint{"a wildcard would let every site in", "list each origin"}
	case s == "null":
		return Complaint{"null is the origin of no page of yours", "list each origin, https://shop.example.com"}
	case !ok:
		return Complaint{"an origin is scheme and host", "https://" + s}
	case s != strings.ToLower(s):
		return Complaint{"origins are written in lower case", strings.ToLower(s)}
	case scheme != "https" && scheme != "http":
		return Complaint{"the pages of a frontend come over https", ""}
	case strings.ContainsAny(rest, "/?#"):
		return Complaint{"an origin has no path", scheme + "://" + rest[:strings.IndexAny(rest, "/?#")]}
	case strings.Contains(rest, "@"):
		return Complaint{"an origin has no user name", ""}
	}
	return checkAuthority(scheme, rest)
}

func checkAuthority(scheme, authority string) Complaint {
	host, port := SplitPort(authority)
	if c := Host(host); c.Is() {
		if c.Hint != "" {
			c.Hint = strings.TrimSuffix(scheme+"://"+c.Hint+":"+port, ":")
		}
		return c
	}
	switch {
	case strings.HasSuffix(authority, ":") || port != "" && !IsPort(port):
		return Complaint{"the port is no number from 1 to 65535", scheme + "://" + host}
	case port == DefaultPort(scheme):
		return Complaint{"browsers leave the default port out of an origin", scheme + "://" + host}
	case scheme == "http" && !IsLoopback(host):
		return Complaint{"plain http is for loopback hosts only (localhost, *.localhost, 127.0.0.0/8, [::1])", strings.TrimSuffix("https://"+host+":"+port, ":")}
	}
	return Complaint{}
}

// OriginHost is an origin's host without its port, in lower case.
func OriginHost(origin string) string {
	_, host, _ := strings.Cut(origin, "://")
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host = host[:i]
	}
	return strings.ToLower(host)
}
