package http1

import (
	"bytes"
)

// Reference is a URI reference taken apart (RFC 3986 §4.1), as far as addresses of an
// API need it: with scheme http or https, or without a scheme.
type Reference struct {
	// Scheme is lower case; empty: there is none.
	Scheme string
	// HasAuthority reports whether there is an Authority.
	HasAuthority    bool
	Authority, Path []byte
	// Rest is query and fragment, with their marks.
	Rest []byte
}

// ParseReference takes v apart. It refuses what browsers and RFC 3986 read differently:
// backslashes (a browser's slashes), control bytes (a browser drops some of them),
// spaces at the ends, http: without "//", and more than two slashes at the start.
func ParseReference(v []byte) (r Reference, ok bool) {
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
		case EqualFold(v[:i], "http"):
			r.Scheme = "http"
		case EqualFold(v[:i], "https"):
			r.Scheme = "https"
		default:
			return r, false
		}
		if v = v[i+1:]; !bytes.HasPrefix(v, []byte("//")) {
			return r, false
		}
	}
	if i := bytes.IndexAny(v, "?#"); i >= 0 {
		v, r.Rest = v[:i], v[i:]
	}
	r.Path = v
	if authority, ok := bytes.CutPrefix(v, []byte("//")); ok {
		r.HasAuthority, r.Authority, r.Path = true, authority, nil
		if i := bytes.IndexByte(authority, '/'); i >= 0 {
			r.Authority, r.Path = authority[:i], authority[i:]
		}
		return r, len(r.Authority) > 0
	}
	return r, true
}

// IsAt reports whether the reference names the server at authority, which is called by
// scheme. The reference may have the other scheme, if it has the same port or both have
// their scheme's own. One with a user name never matches.
func (r *Reference) IsAt(scheme string, authority []byte) bool {
	host, port := splitAuthority(r.Authority)
	wantHost, wantPort := splitAuthority(authority)
	if !EqualFoldBytes(host, wantHost) {
		return false
	}
	if len(wantPort) == 0 {
		wantPort = defaultPort(scheme)
	}
	usual := len(port) == 0 || r.Scheme != "" && bytes.Equal(port, defaultPort(r.Scheme))
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

// Resolve resolves a path against the path of what it stands in (RFC 3986 §5.2.2), dot
// segments removed. path may be one that begins with "/".
func Resolve(base, path []byte) []byte {
	if len(path) == 0 || path[0] != '/' {
		path = append(append([]byte(nil), base[:bytes.LastIndexByte(base, '/')+1]...), path...)
	}
	return RemoveDots(path)
}

// RemoveDots removes the dot segments of a path that begins with "/", in the spellings
// that browsers know (URL Standard, "single-dot" and "double-dot URL path segment").
func RemoveDots(path []byte) []byte {
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
		case HasPrefixFold(segment, "%2e"):
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
