package proxy

import (
	"strings"

	"coatcheck/bff/http1"
)

// sharedDirectives speak to caches that many people share (RFC 9111 §5.2.2).
var sharedDirectives = []string{"public", "s-maxage", "proxy-revalidate", "private"}

// policy collects what an API says about caching, to say it anew. Turning
// Authorization into a cookie makes answers storable that were not (RFC 9111 §3.5):
// the API named no policy because it needed none.
type policy struct {
	named      bool
	directives []string
}

// consume reports whether a field of a session's answer is held back, because the policy is
// said anew, and keeps what may stay of it. Expires passes: beside Cache-Control it says
// to a private cache only when (RFC 9111 §5.3).
func (p *policy) consume(name, value []byte) bool {
	switch {
	case http1.EqualFold(name, "cache-control"):
		directives := splitDirectives(string(value))
		p.named = p.named || len(directives) > 0
		p.directives = appendPrivate(p.directives, directives)
	case http1.EqualFold(name, "expires"):
		p.named = true
		return false
	case http1.EqualFold(name, "surrogate-control"), hasSuffixFold(name, "cdn-cache-control"):
	default:
		return false
	}
	return true
}

// cacheControl is what the browser gets: private, and what the API said to one.
// A document is stored nowhere, whatever the API said: Chromium would show it again out
// of its back/forward cache after a sign-out. Clear-Site-Data does not reach it there,
// because the sandbox of [isolation] gives it an origin of its own.
func (p *policy) cacheControl(document bool) string {
	switch {
	case document:
		return "private, no-store"
	case !p.named:
		return "private, no-cache"
	case len(p.directives) == 0:
		return "private"
	}
	return "private, " + strings.Join(p.directives, ", ")
}

func appendPrivate(list, directives []string) []string {
	for _, d := range directives {
		name, _, _ := strings.Cut(d, "=")
		if !containsFold(sharedDirectives, strings.TrimSpace(name)) {
			list = append(list, d)
		}
	}
	return list
}

// splitDirectives splits at commas outside of quotes: no-cache="a, b" is one.
func splitDirectives(value string) (list []string) {
	quoted, from := false, 0
	for i := 0; i <= len(value); i++ {
		switch {
		case i == len(value) || value[i] == ',' && !quoted:
			if d := strings.TrimSpace(value[from:i]); d != "" {
				list = append(list, d)
			}
			from = i + 1
		case value[i] == '\\' && quoted:
			i++
		case value[i] == '"':
			quoted = !quoted
		}
	}
	return list
}

func containsFold(list []string, s string) bool {
	for _, x := range list {
		if http1.EqualFoldBytes([]byte(x), []byte(s)) {
			return true
		}
	}
	return false
}

func hasSuffixFold(name []byte, lower string) bool {
	return len(name) >= len(lower) && http1.EqualFold(name[len(name)-len(lower):], lower)
}
