package rule

import (
	"net/url"
	"strings"
)

// IsOnlyEndpoint reports whether a path looks like all that an API has.
func IsOnlyEndpoint(path string) bool {
	last := strings.ToLower(strings.Trim(path, "/"))
	last = last[strings.LastIndexByte(last, '/')+1:]
	return last == "" || last == "graphql" || last == "graphiql" || last == "rpc" || last == "jsonrpc"
}

// SameServer reports whether two URLs have the same scheme and host. What cannot be read has
// none.
func SameServer(a, b string) bool {
	ua, errA := url.Parse(a)
	ub, errB := url.Parse(b)
	return errA == nil && errB == nil && ua.Scheme == ub.Scheme && strings.EqualFold(ua.Host, ub.Host)
}

// IsCookieText reports whether s is of cookie-octets (RFC 6265 §4.1.1).
func IsCookieText(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("\",;\\", r) })
}

// HasControl reports whether s has a control character other than a tab.
func HasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}
