package proxy

import (
	"bytes"

	"coatcheck/bff/http1"
)

// reference is a URI reference taken apart (RFC 3986 §4.1), as far as addresses of an
// API need it: with scheme http or https, or without a scheme.
type reference struct {
	// scheme is lower case; empty: there is none.
	scheme       string
	hasAuthority bool
	authority    []byte
	path         []byte
	// rest is query and fragment, with their marks.
	rest []byte
}

// parseReference takes v apart. It refuses what browsers and RFC 3986 read differently:
// backslashes (a browser's slashes), control bytes (a browser drops some of them),
// spaces at the ends, http: without "//", and more than two slashes at the start.
func parseReference(v []byte) (r reference, ok bool) {
	for _, c := range v {
		if c < ' ' || c == 0x7f || c == '\\' {
			return r, false
		}
	}
	if len(v) > 0 && (v[0] == ' ' || v[len(v)-1] == ' ') {
		return r, false
	}
	if i := bytes.IndexAny(v, ":/?#"); i >= 0 && v[i] == ':' {
		switch {
		case http1.EqualFold(v[:i], "http"):
			r.scheme = "http"
		case http1.EqualFold(v[:i], "https"):
			r.scheme = "https"
		default:
			return r, false
		}
		if v = v[i+1:]; !bytes.HasPrefix(v, []byte("//")) {
			return r, false
		}
	}
	if i := bytes.IndexAny(v, "?#"); i >= 0 {
		v, r.rest = v[:i], v[i:]
	}
	r.path = v
	if authority, ok := bytes.CutPrefix(v, []byte("//")); ok {
		r.hasAuthority, r.authority, r.path = true, authority, nil
		if i := bytes.IndexByte(authority, '/'); i >= 0 {
			r.authority, r.path = authority[:i], authority[i:]
		}
		return r, len(r.authority) > 0
	}
	return r, true
}

// isAt reports whether the reference names the server at authority, which is called by
// scheme. The reference may have the other scheme, if it has the same port or both have
// their scheme's own. One with a user name never matches.
func (r *reference) isAt(scheme string, authority []byte) bool {
	host, port := splitAuthority(r.authority)
	wantHost, wantPort := splitAuthority(authority)
	if !http1.EqualFoldBytes(host, wantHost) {
		return false
	}
	if len(wantPort) == 0 {
		wantPort = defaultPort(scheme)
	}
	usual := len(port) == 0 || r.scheme != "" && bytes.Equal(port, defaultPort(r.scheme))
	return bytes.Equal(port, wantPort) || usual && bytes.Equal(wantPort, defaultPort(scheme))
}

func splitAuthority(a []byte) (host, port []byte) {
	if i := bytes.LastIndexByte(a, ':'); i > bytes.LastIndexByte(a, ']') {
		return a[:i], a[i+1:]
	}
	return a, nil
}

func defaultPort(scheme string) []byte {
	if scheme == "https" {
		return []byte("443")
	}
	return []byte("80")
}

// resolve resolves a path against the path of what it stands in (RFC 3986 §5.2.2), dot
// segments removed. path may be one that begins with "/".
func resolve(base, path []byte) []byte {
	if len(path) == 0 || path[0] != '/' {
		path = append(append([]byte(nil), base[:bytes.LastIndexByte(base, '/')+1]...), path...)
	}
	return removeDots(path)
}

// removeDots removes the dot segments of a path that begins with "/", in the spellings
// that browsers know (URL Standard, "single-dot" and "double-dot URL path segment").
func removeDots(path []byte) []byte {
	out := make([]byte, 0, len(path))
	for rest := path[1:]; ; {
		segment, next, more := bytes.Cut(rest, []byte{'/'})
		dots := dotCount(segment)
		switch {
		case dots == 2:
			out = out[:max(0, bytes.LastIndexByte(out, '/'))]
			fallthrough
		case dots == 1:
			if !more {
				out = append(out, '/')
			}
		default:
			out = append(append(out, '/'), segment...)
		}
		if !more {
			return out
		}
		rest = next
	}
}

// dotCount is 1 or 2 for a dot segment, else 0.
func dotCount(segment []byte) (n int) {
	for len(segment) > 0 {
		switch {
		case segment[0] == '.':
			segment = segment[1:]
		case http1.HasPrefixFold(segment, "%2e"):
			segment = segment[3:]
		default:
			return 0
		}
		if n++; n > 2 {
			return 0
		}
	}
	return n
}
