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
		return Complaint{"a star stands for one whole label, the first, under a domain of your own", "https://*.preview.example.com, or list each origin"}
	case s == "null":
		return Complaint{"null is never the origin of your own pages", "list each origin, https://shop.example.com"}
	case !ok:
		return Complaint{"an origin is scheme and host", "https://" + s}
	case s != strings.ToLower(s):
		return Complaint{"must be lower case", strings.ToLower(s)}
	case scheme != "https" && scheme != "http":
		return Complaint{notForCookies, appScheme(scheme)}
	case strings.ContainsAny(rest, "/?#"):
		return Complaint{"an origin must not have a path", scheme + "://" + rest[:strings.IndexAny(rest, "/?#")]}
	case strings.Contains(rest, "@"):
		return Complaint{"an origin must not have a user name", ""}
	}
	return checkAuthority(scheme, rest)
}

// notForCookies is what is wrong with the origin of an application's own scheme.
const notForCookies = "an origin must be https://: browsers keep no cookies for other schemes"

// appScheme is the way out for applications whose pages have a scheme of their own.
func appScheme(scheme string) string {
	switch scheme {
	case "capacitor", "ionic":
		return "in Capacitor set server.hostname to a host under your domain and the scheme to https, or call by native HTTP with X-CSRF: 1"
	case "tauri", "app", "file":
		return "load the pages from a host under your domain over https, or call by native HTTP with X-CSRF: 1"
	}
	return ""
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
		return Complaint{"port must be a number from 1 to 65535", scheme + "://" + host}
	case port == DefaultPort(scheme):
		return Complaint{"browsers omit the default port of an origin", scheme + "://" + host}
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
