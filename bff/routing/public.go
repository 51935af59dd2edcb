package routing

import (
	"bytes"
	"strings"
)

// PublicPath is the path at which f serves what the API of r knows at path, which
// begins with the upstream's base. ok is false where r does not reach path, or where
// a call to the public path would lead elsewhere: to another route, or, as "//…" reads
// (RFC 3986 §4.2), to another host.
func (f *Frontend) PublicPath(r *Route, path []byte) (public []byte, ok bool) {
	below, ok := cutPrefix(path, r.Base, r.Rewrite)
	if !ok || r.Exact && len(below) > 0 {
		return nil, false
	}
	public = append([]byte(r.Prefix), below...)
	if bytes.HasPrefix(public, []byte("//")) {
		return nil, false
	}
	taken := f.route(public)
	if taken == nil || taken.Upstream != r.Upstream || taken.Base != r.Base {
		return nil, false
	}
	back := taken.appendPath([]byte(r.Base), public)
	return public, bytes.Equal(back, path)
}

// Holds reports whether the route takes a path of the frontend's.
func (r *Route) Holds(path []byte) bool {
	n := len(r.Prefix)
	return len(path) >= n && string(path[:n]) == r.Prefix && (!r.Exact || len(path) == n)
}

// ForwardedPath is what an API makes of a public path that puts X-Forwarded-Prefix in
// front of its own path rather than in place of its base: the API's path again. ok is
// false where path is no such path.
func (r *Route) ForwardedPath(path []byte) (own []byte, ok bool) {
	own, ok = bytes.CutPrefix(path, []byte(r.ForwardedPrefix))
	if !ok || r.ForwardedPrefix == "" || r.ForwardedPrefix+r.Base+r.Rewrite == r.Prefix {
		return nil, false
	}
	return own, bytes.HasPrefix(own, []byte(r.Base+r.Rewrite))
}

// forwardedPrefix is what stands in front of a public path in place of what stands in
// front of the API's: both end alike from some segment on.
func forwardedPrefix(public, own string) string {
	for i := range len(public) {
		if public[i] == '/' && strings.HasSuffix(own, public[i:]) {
			return public[:i]
		}
	}
	return ""
}

// cutPrefix cuts first and second, one behind the other, off path.
func cutPrefix(path []byte, first, second string) (rest []byte, ok bool) {
	if rest, ok = bytes.CutPrefix(path, []byte(first)); !ok {
		return nil, false
	}
	return bytes.CutPrefix(rest, []byte(second))
}
