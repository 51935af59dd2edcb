package signin

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// closedPaths are the paths of an upstream that no route reaches: a page that
// could call the sign-in path through a route would mint itself a token.
type closedPaths struct {
	base  []string   // the upstream's own base path
	exact [][]string // as segments; a wild segment takes any one
	below [][]string // these and everything under them
}

// wild stands for a segment with a {name} in it.
const wild = "\x00"

// Closed reports whether path is closed to routes: path as it would go out, below
// the upstream's base, still encoded, with or without query. It is compared after
// one decoding, without regard to case, path parameters, repeated or trailing slashes.
func (u *Upstream) Closed(path []byte) bool {
	var room [16]string // most paths fit: this is asked on every call
	got := appendSegments(append(room[:0], u.closed.base...), string(path))
	for _, closed := range u.closed.exact {
		if len(got) == len(closed) && begins(got, closed) {
			return true
		}
	}
	for _, closed := range u.closed.below {
		if begins(got, closed) {
			return true
		}
	}
	return false
}

func begins(got, with []string) bool {
	if len(got) < len(with) {
		return false
	}
	for i, segment := range with {
		if segment != wild && segment != got[i] {
			return false
		}
	}
	return true
}

// appendSegments takes a path apart as the most forgiving server would.
func appendSegments(list []string, path string) []string {
	path, _, _ = strings.Cut(path, "?")
	if decoded, err := url.PathUnescape(path); err == nil {
		path = decoded
	}
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i] // a server that decodes before it splits ends the path here
	}
	for more := true; more; {
		var segment string
		segment, path, more = strings.Cut(path, "/")
		segment, _, _ = strings.Cut(segment, ";")
		segment = strings.TrimFunc(segment, func(r rune) bool { return string(r) != wild && (!unicode.IsGraphic(r) || unicode.IsSpace(r)) })
		if segment != "" {
			list = append(list, fold(segment))
		}
	}
	return list
}

func segments(path string) []string { return appendSegments(nil, path) }

// fold removes the difference between letters that some system holds for equal;
// small ASCII, what nearly every path is, is itself.
func fold(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= 0x80 || 'A' <= c && c <= 'Z' {
			return strings.ToLower(strings.ToUpper(s))
		}
	}
	return s
}

// pattern takes the path of a request apart in the same way. A path that an API
// gives as a whole is unknown before, so there is none.
func (r *request) pattern() ([]string, bool) {
	if _, whole := r.path.whole(); whole {
		return nil, false
	}
	var text []byte
	for _, p := range r.path.parts {
		text = p.text.AppendReveal(text)
		if p.name != "" {
			text = append(text, wild...)
		}
	}
	list := segments(r.to.base.Path + string(text))
	for i, segment := range list {
		if strings.Contains(segment, wild) {
			list[i] = wild
		}
	}
	return list, true
}

// closePrivate closes private_paths and what lies below them.
func (m *mapping) closePrivate() {
	for _, path := range m.cfg.PrivatePaths {
		m.u.closed.below = append(m.u.closed.below, segments(m.u.base.Path+"/"+path))
	}
}

// closeSignInPaths closes what mappings ask, but for user and verify, at every
// upstream with the origin that is asked: two names for one API are one API.
func (s *Set) closeSignInPaths() {
	for _, name := range slices.Sorted(maps.Keys(s.upstreams)) {
		for _, r := range s.upstreams[name].signInRequests() {
			closed, known := r.pattern()
			if !known {
				continue
			}
			for _, u := range s.upstreams {
				if u.base.Origin() == r.to.base.Origin() {
					u.closed.exact = append(u.closed.exact, closed)
				}
			}
		}
	}
}

// signInRequests are the requests that make or end a credential.
func (u *Upstream) signInRequests() []*request {
	var list []*request
	if u.login != nil {
		list = append(list, u.login.request)
	}
	for _, s := range u.steps {
		list = append(list, s.request)
	}
	if u.refresh != nil {
		list = append(list, u.refresh.request)
	}
	if u.logout != nil {
		list = append(list, u.logout.request)
	}
	return list
}
