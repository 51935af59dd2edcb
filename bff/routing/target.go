package routing

import (
	"bytes"

	"coatcheck/bff/http1"
)

// Target is a request's target, taken apart and found to be unambiguous. Its slices
// point into the request's head.
type Target struct {
	// Path as it came, and Query with its "?", or empty.
	Path, Query []byte
	// EncodedSlash reports that the path holds %2F or %5C, which only some routes let
	// pass: an API that decodes first may see another segment there.
	EncodedSlash bool
}

// ParseTarget takes a target in origin-form apart. It refuses every path that two
// programs could read differently, because here it is matched against routes and
// there it is resolved by an API: dot segments in any spelling, encoded separators
// and control bytes, broken escapes, ASCII in more bytes than it needs. One decoding is
// looked through, as an API does one; %252e is text. What passes is matched and forwarded
// as the same bytes.
//
// Sources: RFC 3986 §5.2.4, §6.2.2; RFC 3629 §10 (overlong forms, %c0%ae for a dot);
// CVE-2021-41773 (encoded dots), "..;" of servlet containers, CVE-2025-29927's kind of
// prefix confusion for "//".
func ParseTarget(b []byte) (t Target, ok bool) {
	if len(b) == 0 || b[0] != '/' || len(b) > 1 && b[1] == '/' {
		return t, false
	}
	for _, c := range b {
		if c <= ' ' || c >= 0x7f || c == '#' { // but for #, the gate lets none of them in either
			return t, false
		}
	}
	t.Path = b
	if i := bytes.IndexByte(b, '?'); i >= 0 {
		t.Path, t.Query = b[:i], b[i:]
	}
	if isPlain(t.Path) {
		return t, true
	}
	return t.inspect()
}

// isPlain reports whether a path holds nothing that needs a closer look: no escape,
// no backslash, no segment that begins with a dot.
func isPlain(path []byte) bool {
	for i, c := range path {
		if c == '%' || c == '\\' || c == '.' && path[i-1] == '/' {
			return false
		}
	}
	return true
}

func (t Target) inspect() (Target, bool) {
	for rest := t.Path[1:]; ; {
		segment, next, more := bytes.Cut(rest, []byte{'/'})
		if !t.segment(segment) {
			return t, false
		}
		if !more {
			return t, true
		}
		rest = next
	}
}

// segment looks at one segment, decoded once, its parameters cut off.
func (t *Target) segment(s []byte) bool {
	dots, name := 0, true // name: still in front of parameters
	for len(s) > 0 {
		c, rest, ok := t.decode(s)
		if !ok {
			return false
		}
		s = rest
		switch {
		case c == ';':
			if isDots(dots) {
				return false
			}
			name = false
		case c == '/':
			// An API that decodes first sees a new segment here.
			if isDots(dots) {
				return false
			}
			dots, name = 0, true
		case name && c == '.':
			dots++
		case name:
			dots = -1 << 20 // more than dots
		}
	}
	return !isDots(dots)
}

// decode takes the first byte off s, as an API sees it that decodes once, and takes note of
// a slash that is one only then. ok is false for what two programs could read differently.
func (t *Target) decode(s []byte) (c byte, rest []byte, ok bool) {
	if s[0] != '%' {
		return s[0], s[1:], s[0] != '\\' // as it stands: to browsers a slash
	}
	hi, lo := hexValue(s, 1), hexValue(s, 2)
	if hi < 0 || lo < 0 || isOverlong(s) {
		return 0, nil, false
	}
	c = byte(hi<<4 | lo)
	if c == '\\' {
		c = '/' // to some APIs it is one
	}
	if c == '/' {
		t.EncodedSlash = true
	}
	return c, s[3:], c >= ' ' && c != 0x7f
}

// isOverlong reports whether escapes begin a form of an ASCII character in two to four
// bytes, which some decoders still read, and UTF-8 does not have.
func isOverlong(escapes []byte) bool {
	lead := escaped(escapes)
	if lead == 0xc0 || lead == 0xc1 {
		return escaped(escapes[3:])&^0x3f == 0x80
	}
	if lead == 0xf0 && escaped(escapes[3:]) == 0x80 {
		lead, escapes = 0xe0, escapes[3:] // one byte more, and as a form of three from there
	}
	if lead != 0xe0 || escaped(escapes[3:])&^1 != 0x80 {
		return false
	}
	return escaped(escapes[6:])&^0x3f == 0x80
}

// escaped is the byte of an escape at the start of s; 0 where there is none.
func escaped(s []byte) byte {
	if len(s) < 3 || s[0] != '%' {
		return 0
	}
	hi, lo := hexValue(s, 1), hexValue(s, 2)
	if hi < 0 || lo < 0 {
		return 0
	}
	return byte(hi<<4 | lo)
}

func isDots(n int) bool { return n == 1 || n == 2 }

func hexValue(s []byte, i int) int {
	if i >= len(s) {
		return -1
	}
	return http1.HexValue(s[i])
}

// under reports whether path is at or below prefix, ending at a segment: /shop
// holds /shop and /shop/x, but not /shopping.
func under(path []byte, prefix string) bool {
	return len(path) >= len(prefix) && string(path[:len(prefix)]) == prefix &&
		(len(path) == len(prefix) || path[len(prefix)] == '/')
}
