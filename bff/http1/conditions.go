package http1

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"
)

// Validators are what a browser can compare a representation with (RFC 9110 §8.8).
type Validators struct {
	// ETag is a strong entity tag, with its quotes; empty: none.
	ETag string
	// Changed is the time of the last change; zero, or one of the first two seconds of Unix
	// time: unknown.
	Changed time.Time
}

// HasTime reports whether the time of the last change is known. Embedded files have
// none, and tools whose images can be built again write 0 or, as Nix does, 1.
func (v Validators) HasTime() bool { return !v.Changed.IsZero() && v.Changed.Unix() > 1 }

// Failed evaluates a request's conditions in their order (RFC 9110 §13.2.2): 412, 304,
// or 0 where the file is to be sent. If-Range is a matter of ranges.
func (v Validators) Failed(h *Head) int {
	if h.Has("if-match") {
		if !anyTag(h, "if-match", v.matchesStrongly) {
			return http.StatusPreconditionFailed
		}
	} else if t, ok := v.date(h, "if-unmodified-since"); ok && v.second().After(t) {
		return http.StatusPreconditionFailed
	}
	if h.Has("if-none-match") {
		if anyTag(h, "if-none-match", v.matchesWeakly) {
			return http.StatusNotModified
		}
	} else if t, ok := v.date(h, "if-modified-since"); ok && !v.second().After(t) {
		return http.StatusNotModified
	}
	return 0
}

// SameAsBefore evaluates If-Range (RFC 9110 §13.1.5): whether a part goes with what
// the browser has. Without If-Range it is asked for anyway.
func (v Validators) SameAsBefore(h *Head) bool {
	value, n := h.Get("if-range")
	if n == 0 || n == 1 && len(value) == 0 {
		return true
	}
	if t, ok := v.date(h, "if-range"); ok {
		return v.second().Equal(t)
	}
	return n == 1 && v.matchesStrongly(value)
}

func (v Validators) matchesStrongly(tag []byte) bool { return string(tag) == v.ETag }

func (v Validators) matchesWeakly(tag []byte) bool {
	return string(bytes.TrimPrefix(tag, []byte("W/"))) == v.ETag
}

// second is the last change to the second, as Last-Modified tells it.
func (v Validators) second() time.Time { return v.Changed.Truncate(time.Second) }

// date reads a condition that is a date. It counts only where the file has one, and
// where it came once and is one (RFC 9110 §13.1.3).
func (v Validators) date(h *Head, name string) (time.Time, bool) {
	value, n := h.Get(name)
	if n != 1 || !v.HasTime() {
		return time.Time{}, false
	}
	t, err := http.ParseTime(string(value))
	return t, err == nil
}

// Has reports whether a field came that is not empty; its name is in lower case.
func (h *Head) Has(lower string) bool {
	value, n := h.Get(lower)
	return n > 1 || len(value) > 0
}

// anyTag reports whether one of the entity tags of a field, or "*", fits. What is not
// a list of them fits as far as it can be read.
func anyTag(h *Head, name string, fits func([]byte) bool) bool {
	for i := range h.Fields {
		f := &h.Fields[i]
		if !EqualFold(f.Name, name) {
			continue
		}
		for rest := f.Value; ; {
			rest = bytes.TrimLeft(rest, " \t,")
			if len(rest) > 0 && rest[0] == '*' {
				return true
			}
			tag, more := cutTag(rest)
			if tag == nil {
				break
			}
			if fits(tag) {
				return true
			}
			rest = more
		}
	}
	return false
}

// cutTag cuts an entity tag off (RFC 9110 §8.8.3); nil where none begins.
func cutTag(b []byte) (tag, rest []byte) {
	quoted := bytes.TrimPrefix(b, []byte("W/"))
	if len(quoted) < 2 || quoted[0] != '"' {
		return nil, nil
	}
	end := bytes.IndexByte(quoted[1:], '"')
	if end < 0 || bytes.ContainsAny(quoted[1:1+end], " \t") {
		return nil, nil
	}
	length := len(b) - len(quoted) + end + 2
	return b[:length], b[length:]
}

// ContentTag is a strong entity tag made of the content (RFC 9110 §8.8.3).
func ContentTag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}
