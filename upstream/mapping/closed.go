package mapping

import (
	"bytes"
	"net/url"
	"strings"
	"unicode"
)

// ClosedPaths are the paths of an API that no route reaches: a page that could call
// the sign-in path through a route would mint itself a token. The zero value closes
// nothing. It is filled in once, and then safe for concurrent use.
type ClosedPaths struct {
	base  []string   // the API's own base path
	exact [][]string // below the base, as segments; a wild segment stands for any one
	below [][]string // these and everything under them
}

// wild stands for a segment with a {name} in it.
const wild = "\x00"

// NewClosedPaths begins the list for an API at an address.
func NewClosedPaths(basePath string) ClosedPaths { return ClosedPaths{base: segments(basePath)} }

// CloseBelow closes a path below the base, and everything under it.
func (c *ClosedPaths) CloseBelow(path string) {
	c.below = append(c.below, segments(path))
}

// Close closes the path of a request that goes to the same origin, below basePath. A
// path that an API gives as a whole is unknown before, so it closes nothing.
func (c *ClosedPaths) Close(r *Request, basePath string) {
	path := r.path()
	if _, whole := path.Whole(); whole {
		return
	}
	closed := path.pattern(basePath)
	if len(closed) < len(c.base) || !begins(c.base, closed[:len(c.base)]) {
		return // nothing that goes out below our base is that path
	}
	c.exact = append(c.exact, closed[len(c.base):])
}

// pattern takes a request's path apart as segments does, {names} as wild segments.
func (t Template) pattern(basePath string) []string {
	var text []byte
	for _, p := range t.parts {
		text = p.text.AppendReveal(text)
		if p.name != "" {
			text = append(text, wild...)
		}
	}
	list := segments(basePath + string(text))
	for i, segment := range list {
		if strings.Contains(segment, wild) {
			list[i] = wild
		}
	}
	return list
}

// Contain reports whether path is closed: path as it would go out, below the base, still
// encoded, with or without query. It is compared after one decoding, without regard to
// case, path parameters, repeated or trailing slashes. A path of visible ASCII without
// escapes, what nearly every path is, costs no allocation.
func (c *ClosedPaths) Contain(path []byte) bool {
	path, _, _ = bytes.Cut(path, []byte{'?'})
	if isPlain(path) {
		return c.containPlain(path)
	}
	return c.containAny(path)
}

// isPlain reports whether segments would take path apart at its slashes and nowhere else.
func isPlain(path []byte) bool {
	for _, b := range path {
		if b <= ' ' || b >= 0x7f || b == '%' || b == ';' || b == '#' || b == '\\' {
			return false
		}
	}
	return true
}

// containPlain is Contain for plain paths, without taking them apart.
func (c *ClosedPaths) containPlain(path []byte) bool {
	for _, closed := range c.exact {
		if rest, ok := afterPlain(path, closed); ok && len(bytes.TrimLeft(rest, "/")) == 0 {
			return true
		}
	}
	for _, closed := range c.below {
		if _, ok := afterPlain(path, closed); ok {
			return true
		}
	}
	return false
}

// afterPlain returns what is behind the segments of a pattern with which path begins.
func afterPlain(path []byte, pattern []string) (rest []byte, ok bool) {
	for _, want := range pattern {
		path = bytes.TrimLeft(path, "/")
		end := bytes.IndexByte(path, '/')
		if end < 0 {
			end = len(path)
		}
		if end == 0 || want != wild && !isFolded(path[:end], want) {
			return nil, false
		}
		path = path[end:]
	}
	return path, true
}

// isFolded reports whether ASCII text, folded, is want.
func isFolded(text []byte, want string) bool {
	if len(text) != len(want) {
		return false
	}
	for i, b := range text {
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		if b != want[i] {
			return false
		}
	}
	return true
}

// containAny is Contain for any path. A backslash is a letter to most servers and a
// separator to some: either reading closes.
func (c *ClosedPaths) containAny(path []byte) bool {
	if c.containSegments(segments(string(path))) {
		return true
	}
	slashes := backslashes.Replace(string(path))
	return slashes != string(path) && c.containSegments(segments(slashes))
}

// backslashes turns encoded backslashes into slashes.
var backslashes = strings.NewReplacer("%5c", "/", "%5C", "/", `\`, "/")

func (c *ClosedPaths) containSegments(got []string) bool {
	for _, closed := range c.exact {
		if len(got) == len(closed) && begins(got, closed) {
			return true
		}
	}
	for _, closed := range c.below {
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

// segments takes a path apart as the most forgiving server would.
func segments(path string) (list []string) {
	path, _, _ = strings.Cut(path, "?")
	if decoded, err := url.PathUnescape(path); err == nil {
		path = decoded
	}
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i] // a server that decodes before it splits ends the path here
	}
	for segment := range strings.SplitSeq(path, "/") {
		segment, _, _ = strings.Cut(segment, ";")
		segment = strings.TrimFunc(segment, func(r rune) bool { return string(r) != wild && (!unicode.IsGraphic(r) || unicode.IsSpace(r)) })
		if segment != "" {
			list = append(list, fold(segment))
		}
	}
	return list
}

// fold removes the difference between letters that some system holds for equal.
func fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }
