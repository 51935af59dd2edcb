package mapping

import (
	"net/http"
	"strings"
	"time"

	"coatcheck/bff/http1"
)

// Place is somewhere in an answer: a JSON pointer (RFC 6901), a header, a cookie,
// or, with all three empty, the whole body. One with a Name is what the request knew.
type Place struct {
	// JSON pointer into the body; "" is the whole body.
	Pointer string `yaml:"at"`
	// Answer header.
	Header string `yaml:"header"`
	// Cookie that the answer sets.
	Cookie string `yaml:"cookie"`
	// Unit of a duration.
	Unit string `yaml:"unit" default:"s" enum:"s|ms"`
	// Whether proxied answers renew the value.
	Follow bool `yaml:"follow" default:"false"`

	// Name is written "{name}": what a step kept, or the page sent with the request that
	// is answered, in the place of something in the answer.
	Name string `yaml:"-"`
}

// Faults is what is wrong with the place by itself.
func (p Place) Faults() []*Fault {
	switch {
	case p.Header != "" && !http1.IsToken([]byte(p.Header)):
		return []*Fault{{"header", "not a valid header name", ""}}
	case strings.EqualFold(p.Header, "Set-Cookie"):
		return []*Fault{{"header", "a cookie is taken by its name", "{cookie: NAME}"}}
	case p.Cookie != "" && !http1.IsToken([]byte(p.Cookie)):
		return []*Fault{{"cookie", "not a valid cookie name", ""}}
	}
	if f := CheckPointer(p.Pointer); f != nil {
		return []*Fault{f}
	}
	return nil
}

// InBody reports whether the place is in the body.
func (p Place) InBody() bool { return p.Header == "" && p.Cookie == "" && p.Name == "" }

// Covers reports whether the pointer leads to the place or inside it.
func (p Place) Covers(pointer string) bool {
	return p.InBody() && strings.HasPrefix(pointer+"/", p.Pointer+"/")
}

// isMilli reports whether a duration or date there counts milliseconds.
func (p Place) isMilli() bool { return p.Unit == "ms" }

// Extract returns what stands at the place; false where nothing does. Null is something.
func (p Place) Extract(r *Response) (any, bool) {
	switch {
	case p.Name != "":
		return r.asked.named(p.Name)
	case p.Header != "":
		return headerValue(r.Header, http.CanonicalHeaderKey(p.Header))
	case p.Cookie != "":
		return cookieValue(r, p.Cookie)
	}
	tokens, fault := parsePointer(p.Pointer)
	if fault != nil {
		return nil, false
	}
	return walk(r.Body, tokens)
}

// extractSome is Extract where absent and null, and no place at all, are nothing.
func (p *Place) extractSome(r *Response) (any, bool) {
	if p == nil {
		return nil, false
	}
	v, ok := p.Extract(r)
	return v, ok && v != nil
}

// String is the place as a file has it.
func (p Place) String() string {
	switch {
	case p.Name != "":
		return "{" + p.Name + "}"
	case p.Header != "":
		return "{header: " + p.Header + "}"
	case p.Cookie != "":
		return "{cookie: " + p.Cookie + "}"
	case p.Pointer == "":
		return `""`
	}
	return p.Pointer
}

// headerValue returns the first line of a header.
func headerValue(h http.Header, name string) (any, bool) {
	lines := h[name]
	if len(lines) == 0 {
		return nil, false
	}
	return strings.TrimSpace(lines[0]), true
}

// cookieValue returns what a browser would hold under name after this response:
// the last line counts, and one that expires the cookie leaves none (RFC 6265 §5.3).
func cookieValue(r *Response, name string) (any, bool) {
	var found *http.Cookie
	for _, line := range r.Header["Set-Cookie"] {
		if c, err := http.ParseSetCookie(line); err == nil && c.Name == name {
			found = c
		}
	}
	if found == nil || isExpired(found, r.At) {
		return nil, false
	}
	if found.Quoted { // quotes are part of the value, and no token has them
		return `"` + found.Value + `"`, true
	}
	return found.Value, true
}

// isExpired reports whether c removes a cookie; Max-Age goes before Expires.
func isExpired(c *http.Cookie, now time.Time) bool {
	return c.MaxAge < 0 || c.MaxAge == 0 && !c.Expires.IsZero() && c.Expires.Before(now)
}
