package signin

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"coatcheck/configs"
)

// answer is an API's answer, read whole.
type answer struct {
	status int
	header http.Header
	doc    any       // the JSON; a body that is none is one string
	at     time.Time // when it came
}

// newAnswer reads body whatever its Content-Type says. A byte order mark in front
// of JSON, which RFC 8259 §8.1 lets a reader ignore, is ignored.
func newAnswer(status int, header http.Header, body []byte) *answer {
	a := &answer{status: status, header: header, at: time.Now()}
	doc, isJSON := decode(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	if !isJSON {
		doc = strings.TrimSpace(string(body))
	}
	a.doc = doc
	return a
}

// place is somewhere in an answer: a header, a cookie, or a pointer into the body.
type place struct {
	header, cookie string
	tokens         []string // of the pointer; none is the whole body
	milli          bool     // a duration or date there counts milliseconds
	follow         bool
}

// newPlace compiles a place of the configuration.
func newPlace(c configs.Place) (*place, error) {
	p := &place{header: http.CanonicalHeaderKey(c.Header), cookie: c.Cookie, milli: c.Unit == "ms", follow: c.Follow}
	if c.Header != "" || c.Cookie != "" {
		return p, nil
	}
	var err error
	p.tokens, err = parsePointer(c.Pointer)
	return p, err
}

// isPointer reports whether the place is in the body.
func (p *place) isPointer() bool { return p.header == "" && p.cookie == "" }

// take returns what stands at the place; false where nothing does. Null is something.
func (p *place) take(a *answer) (any, bool) {
	switch {
	case p.header != "":
		return headerValue(a.header, p.header)
	case p.cookie != "":
		return cookieValue(a, p.cookie)
	}
	return follow(a.doc, p.tokens)
}

// parsePointer takes a JSON pointer apart (RFC 6901 §3, §4).
func parsePointer(s string) ([]string, error) {
	if s == "" {
		return nil, nil
	}
	if s[0] != '/' {
		return nil, errors.New("a pointer begins with /")
	}
	tokens := strings.Split(s[1:], "/")
	for i, t := range tokens {
		for rest := t; strings.Contains(rest, "~"); {
			_, rest, _ = strings.Cut(rest, "~")
			if rest == "" || rest[0] != '0' && rest[0] != '1' {
				return nil, errors.New("in a pointer, ~ is written ~0 and / is written ~1")
			}
		}
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(t, "~1", "/"), "~0", "~")
	}
	return tokens, nil
}

// follow walks from doc along the tokens of a pointer.
func follow(doc any, tokens []string) (any, bool) {
	for _, t := range tokens {
		switch at := doc.(type) {
		case map[string]any:
			next, ok := at[t]
			if !ok {
				return nil, false
			}
			doc = next
		case []any:
			i, ok := index(t)
			if !ok || i >= len(at) {
				return nil, false
			}
			doc = at[i]
		default:
			return nil, false
		}
	}
	return doc, true
}

// index reads an array index: digits without leading zeros.
func index(t string) (int, bool) {
	if t == "" || len(t) > 1 && t[0] == '0' || strings.Trim(t, "0123456789") != "" {
		return 0, false
	}
	i, err := strconv.Atoi(t)
	return i, err == nil
}

// headerValue returns the first line of a header.
func headerValue(h http.Header, name string) (any, bool) {
	lines := h[name]
	if len(lines) == 0 {
		return nil, false
	}
	return strings.TrimSpace(lines[0]), true
}

// cookieValue returns what a browser would hold under name after this answer:
// the last line counts, and one that expires the cookie leaves none (RFC 6265 §5.3).
func cookieValue(a *answer, name string) (any, bool) {
	var found *http.Cookie
	for _, line := range a.header["Set-Cookie"] {
		if c, err := http.ParseSetCookie(line); err == nil && c.Name == name {
			found = c
		}
	}
	if found == nil || isExpired(found, a.at) {
		return nil, false
	}
	if found.Quoted { // quotes are part of the value, and no token has them
		return `"` + found.Value + `"`, true
	}
	return found.Value, true
}

// isExpired reports whether c takes a cookie away; Max-Age goes before Expires.
func isExpired(c *http.Cookie, now time.Time) bool {
	return c.MaxAge < 0 || c.MaxAge == 0 && !c.Expires.IsZero() && c.Expires.Before(now)
}
