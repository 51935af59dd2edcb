package mapping

import (
	"errors"
	"strings"

	"coatcheck/bff/credential"
)

// Why a template yields nothing.
var (
	errNoValue = errors.New("a {name} has no value")
	errUnfit   = errors.New("a value cannot be put there")
)

// Template is text with {names} in it, parsed. It may hold an operator's secret, so it
// prints as one.
type Template struct {
	credential.Secret // the text as written

	parts []part
}

// part is constant text, or the {name} of a value.
type part struct {
	text credential.Secret
	name string
}

// NewTemplate parses text. A name is a letter or "_" and then letters, digits, "_" and
// "-"; braces around anything else are plain text, and "{{" is one brace that opens nothing.
func NewTemplate(text string) Template {
	t := Template{Secret: credential.NewSecret(text)}
	var plain []byte
	for i := 0; i < len(text); i++ {
		if strings.HasPrefix(text[i:], "{{") {
			i++
		} else if end := nameEnd(text, i); end > 0 {
			t.add(string(plain), text[i+1:end])
			plain, i = nil, end
			continue
		}
		plain = append(plain, text[i])
	}
	t.add(string(plain), "")
	return t
}

// PlainText is a text that is put as it is, {names} and all, but for "{{", which is one brace.
func PlainText(text string) string { return strings.ReplaceAll(text, "{{", "{") }

func (t *Template) add(text, name string) {
	if text != "" {
		t.parts = append(t.parts, part{text: credential.NewSecret(text)})
	}
	if name != "" {
		t.parts = append(t.parts, part{name: name})
	}
}

// nameEnd returns where the closing brace of a {name} that opens at i is, or 0.
func nameEnd(s string, i int) int {
	if s[i] != '{' {
		return 0
	}
	for j := i + 1; j < len(s); j++ {
		if s[j] == '}' && IsName(s[i+1:j]) {
			return j
		}
		if !isNameByte(s[j]) {
			return 0
		}
	}
	return 0
}

func isNameByte(c byte) bool {
	return c == '_' || c == '-' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// IsName reports whether name can stand in braces, and so name a field or a value.
func IsName(name string) bool {
	for i := range len(name) {
		if !isNameByte(name[i]) || i == 0 && (name[i] == '-' || '0' <= name[i] && name[i] <= '9') {
			return false
		}
	}
	return name != ""
}

// Whole returns the name where the template is exactly one {name}.
func (t Template) Whole() (name string, ok bool) {
	if len(t.parts) == 1 && t.parts[0].name != "" {
		return t.parts[0].name, true
	}
	return "", false
}

// Names are the template's {names} in their order, repetitions included.
func (t Template) Names() []string {
	var names []string
	for _, p := range t.parts {
		if p.name != "" {
			names = append(names, p.name)
		}
	}
	return names
}

// IsConstant reports whether the template has no {names}.
func (t Template) IsConstant() bool { return len(t.Names()) == 0 }

// Parts calls each for every part in order: with constant text, or with a name.
func (t Template) Parts(each func(constant credential.Secret, name string)) {
	for _, p := range t.parts {
		each(p.text, p.name)
	}
}

// appendTo appends the filled template to dst; put appends one value, or says
// that it cannot stand there. Where a {name} has no value it fails with errNoValue.
func (t Template) appendTo(dst []byte, from *Values, put func([]byte, value) ([]byte, bool)) ([]byte, error) {
	for _, p := range t.parts {
		if p.name == "" {
			dst = p.text.AppendReveal(dst)
			continue
		}
		v := from.find(p.name)
		if v.secret.IsEmpty() {
			return dst, errNoValue
		}
		var ok bool
		if dst, ok = put(dst, v); !ok {
			return dst, unfit{v.fromAPI}
		}
	}
	return dst, nil
}

// unfit is errUnfit with whose value it was: an API's is the API's fault, a
// person's is a name that no account can have.
type unfit struct{ fromAPI bool }

func (unfit) Error() string { return errUnfit.Error() }
func (unfit) Unwrap() error { return errUnfit }
