package mapping

import (
	"bytes"
	"encoding/json"
	"strings"

	"coatcheck/bff/credential"
)

// maxValue bounds every value extracted from a response, in bytes.
const maxValue = 16 << 10

// typed marks a value that was no JSON text, in front of its JSON: what an API
// gave as a number goes back to it as a number. Text that begins with the mark
// is kept as JSON itself, so nobody can forge one.
const typed = '\x01'

// typedByPage is the same for what a page sent. No text of a page can hold NUL.
const typedByPage = '\x00'

// TypedField is the value of a sign-in field that is a JSON boolean or number, as it came.
func TypedField(json string) credential.Secret {
	return credential.NewSecret(string(typedByPage) + json)
}

// FieldJSON is what [TypedField] was made of; false: the field is text.
func FieldJSON(s credential.Secret) (json string, ok bool) {
	return strings.CutPrefix(s.Reveal(), string(typedByPage))
}

// toSecret makes a secret of a value extracted from a response; absent and null become
// the empty secret.
func toSecret(v any) credential.Secret {
	if v == nil {
		return credential.Secret{}
	}
	if s, ok := v.(string); ok && !strings.HasPrefix(s, string(typed)) {
		return credential.NewSecret(s)
	}
	return credential.NewSecret(string(typed) + string(Encode(v)))
}

// Encode writes v as JSON without HTML escapes; numbers stay as they came.
func Encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return []byte("null") // cannot happen: v was decoded from JSON
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// Decode reads exactly one JSON value, numbers as [json.Number]; false where data is
// anything else.
func Decode(data []byte) (any, bool) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil, false
	}
	if rest := data[d.InputOffset():]; len(bytes.TrimSpace(rest)) > 0 {
		return nil, false
	}
	return v, true
}

// Text is the text of a JSON text, number or boolean; false for anything else.
func Text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	}
	return "", false
}

// value is what a {name} stands for, and whose it is: what a person typed is text,
// whatever it looks like; what an API gave, or a page sent as a boolean or a number, has
// a type.
type value struct {
	secret  credential.Secret
	fromAPI bool
}

// mark begins a value that has a type.
func (v value) mark() byte {
	if v.fromAPI {
		return typed
	}
	return typedByPage
}

// isTyped reports whether the secret holds JSON behind the mark.
func (v value) isTyped() bool {
	return !v.secret.IsEmpty() && v.secret.AppendReveal(nil)[0] == v.mark()
}

// json returns the value as it goes into a JSON body.
func (v value) json() any {
	if !v.isTyped() {
		return v.secret.Reveal()
	}
	whole, _ := Decode(v.secret.AppendReveal(nil)[1:])
	return whole
}

// appendText appends the value as it goes anywhere else; false for objects and lists.
func (v value) appendText(dst []byte) ([]byte, bool) {
	start := len(dst)
	dst = v.secret.AppendReveal(dst)
	if len(dst) == start || dst[start] != v.mark() {
		return dst, true
	}
	whole, _ := Decode(dst[start+1:])
	text, ok := Text(whole)
	return append(dst[:start], text...), ok
}

// SecretText is the text of a value that an API gave, as it goes anywhere but into a
// JSON body; false where it is an object or a list.
func SecretText(s credential.Secret) (string, bool) {
	text, ok := value{secret: s, fromAPI: true}.appendText(nil)
	return string(text), ok
}

// IsCredentialText reports whether b can stand in a header, cookie, path or query without
// ending it: visible ASCII without space, quote, "<", comma and semicolon, not
// empty, at most 16 KiB. An error page is none of that.
func IsCredentialText(b []byte) bool {
	if len(b) == 0 || len(b) > maxValue {
		return false
	}
	for _, c := range b {
		if c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == ',' || c == ';' {
			return false
		}
	}
	return true
}

// isFieldText reports whether b can stand in a header (RFC 9110 §5.5), for what
// a person typed: names are not ASCII everywhere.
func isFieldText(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return len(b) <= maxValue
}
