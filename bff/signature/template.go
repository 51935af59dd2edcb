package signature

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io"
	"slices"
	"strings"
)

// builtIn are the names that every template knows.
var builtIn = []string{"body", "url", "method", "path", "form", "query"}

// part is a piece of a template: plain text, or a name with what is made of it.
type part struct {
	plain    string
	name     string
	base     bool   // url.base
	digest   string // sha256, sha1, md5, crc32, hmac; none
	encoding string // hex, base64; raw
}

// template is text with {names}.
type template []part

var (
	errBrace = errors.New("a { without its }; a plain { is written {{")
	errName  = errors.New("a name in braces is {name}, {name.sha256} or {name.sha256.hex}")
)

// parseTemplate reads a template. "{{" is a plain brace.
func parseTemplate(s string) (template, error) {
	var t template
	plain := ""
	for s != "" {
		open := strings.IndexByte(s, '{')
		if open < 0 {
			plain, s = plain+s, ""
			break
		}
		plain, s = plain+s[:open], s[open+1:]
		if strings.HasPrefix(s, "{") {
			plain, s = plain+"{", s[1:]
			continue
		}
		name, rest, closed := strings.Cut(s, "}")
		if !closed {
			return nil, errBrace
		}
		p, err := parseName(name)
		if err != nil {
			return nil, err
		}
		if plain != "" {
			t = append(t, part{plain: plain})
		}
		t, plain, s = append(t, p), "", rest
	}
	if plain != "" {
		t = append(t, part{plain: plain})
	}
	return t, nil
}

func parseName(s string) (part, error) {
	words := strings.Split(s, ".")
	p := part{name: words[0]}
	words = words[1:]
	if p.name == "url" && len(words) > 0 && words[0] == "base" {
		p.base, words = true, words[1:]
	}
	if len(words) > 0 && slices.Contains([]string{"sha256", "sha1", "md5", "crc32", "hmac"}, words[0]) {
		p.digest, words = words[0], words[1:]
	}
	if len(words) > 0 && slices.Contains([]string{"hex", "base64"}, words[0]) {
		p.encoding, words = words[0], words[1:]
	}
	if len(words) > 0 || !isName(p.name) {
		return part{}, errName
	}
	return p, nil
}

// isName reports whether s begins with a letter or "_" and goes on with those,
// digits and "-".
func isName(s string) bool {
	const letters = "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return s != "" && strings.IndexByte(letters, s[0]) >= 0 && strings.Trim(s, letters+"0123456789-") == ""
}

// names are the names that t uses.
func (t template) names() []string {
	var names []string
	for _, p := range t {
		if p.name != "" {
			names = append(names, p.name)
		}
	}
	return names
}

// keyed reports whether t uses .hmac.
func (t template) keyed() bool {
	return slices.ContainsFunc(t, func(p part) bool { return p.digest == "hmac" })
}

// write writes t with its names replaced.
func (t template) write(w io.Writer, r *reading) error {
	for _, p := range t {
		if p.name == "" {
			_, _ = io.WriteString(w, p.plain)
			continue
		}
		if err := p.write(w, r); err != nil {
			return err
		}
	}
	return nil
}

// text is t with its names replaced.
func (t template) text(r *reading) (string, error) {
	var b strings.Builder
	err := t.write(&b, r)
	return b.String(), err
}

func (p part) write(w io.Writer, r *reading) error {
	raw, err := r.named(p)
	if err != nil {
		return err
	}
	_, _ = w.Write(encode(digest(raw, p.digest, r), p.encoding))
	return nil
}

// named returns the bytes that p names.
func (r *reading) named(p part) ([]byte, error) {
	if raw, ok := r.over[p.name]; ok && !p.base {
		return raw, nil
	}
	switch p.name {
	case "body":
		if !r.whole {
			return nil, needsBody
		}
		return r.call.Body, nil
	case "url":
		if p.base {
			return []byte(r.base), nil
		}
		return []byte(r.base + r.call.Target), nil
	case "method":
		return []byte(r.call.Method), nil
	case "path":
		return []byte(r.path()), nil
	case "query":
		return []byte(r.query()), nil
	case "form":
		body, err := r.form()
		if err != nil {
			return nil, err
		}
		run, err := sorted(body)
		return []byte(run), err
	}
	if v, ok := r.values[p.name]; ok {
		return []byte(v), nil
	}
	return nil, needsBody
}

func digest(raw []byte, name string, r *reading) []byte {
	switch name {
	case "sha256":
		sum := sha256.Sum256(raw)
		return sum[:]
	case "sha1":
		sum := sha1.Sum(raw)
		return sum[:]
	case "md5":
		sum := md5.Sum(raw)
		return sum[:]
	case "crc32":
		sum := crc32.ChecksumIEEE(raw)
		return []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}
	case "hmac":
		return r.hmac(raw)
	}
	return raw
}

func encode(raw []byte, encoding string) []byte {
	switch encoding {
	case "hex":
		return hex.AppendEncode(nil, raw)
	case "base64":
		return base64.StdEncoding.AppendEncode(nil, raw)
	}
	return raw
}

var errEncoding = errors.New("signature: not of this encoding")

// decode reads text in an encoding; base64 with padding or without.
func decode(s, encoding string) ([]byte, error) {
	switch encoding {
	case "hex":
		return hex.DecodeString(s)
	case "base64":
		return base64.RawStdEncoding.Strict().DecodeString(strings.TrimRight(s, "="))
	case "base64url":
		return base64.RawURLEncoding.Strict().DecodeString(strings.TrimRight(s, "="))
	case "text":
		return []byte(s), nil
	}
	return nil, errEncoding
}
