package signin

import (
	"errors"

	"coatcheck/bff/credential"
)

// Why a template yields nothing.
var (
	errNoValue = errors.New("a {name} has no value")
	errUnfit   = errors.New("a value cannot be put there")
)

// template is text with {names} in it. Its constant parts may be an operator's
// secrets, so they are kept as such.
type template struct{ parts []part }

// part is constant text, or the {name} of a value.
type part struct {
	text credential.Secret
	name string
}

// parseTemplate takes s apart. Braces around anything but a name are plain text.
func parseTemplate(s string) template {
	var t template
	start := 0
	for i := 0; i < len(s); i++ {
		end := nameEnd(s, i)
		if end == 0 {
			continue
		}
		t.add(s[start:i], s[i+1:end])
		start, i = end+1, end
	}
	t.add(s[start:], "")
	return t
}

func (t *template) add(text, name string) {
	if text != "" {
		t.parts = append(t.parts, part{text: credential.NewSecret(text)})
	}
	if name != "" {
		t.parts = append(t.parts, part{name: name})
	}
}

// nameEnd returns where the closing brace of a {name} that opens at i is, or 0.
func nameEnd(s string, i int) int {
	if s[i] != '{' || i+1 == len(s) || !isNameStart(s[i+1]) {
		return 0
	}
	for j := i + 1; j < len(s); j++ {
		switch c := s[j]; {
		case c == '}':
			return j
		case !isNameStart(c) && c != '-' && (c < '0' || c > '9'):
			return 0
		}
	}
	return 0
}

func isNameStart(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// whole returns the name where the template is exactly one {name}.
func (t template) whole() (string, bool) {
	if len(t.parts) == 1 && t.parts[0].name != "" {
		return t.parts[0].name, true
	}
	return "", false
}

// names lists the template's {names}.
func (t template) names() []string {
	var names []string
	for _, p := range t.parts {
		if p.name != "" {
			names = append(names, p.name)
		}
	}
	return names
}

// constant reports whether the template has no {names}.
func (t template) constant() bool { return len(t.names()) == 0 }

// appendTo appends the filled template to dst; put appends one value, or says
// that it cannot stand there. Where a {name} has no value it fails with errNoValue.
func (t template) appendTo(dst []byte, from *values, put func([]byte, value) ([]byte, bool)) ([]byte, error) {
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
			return dst, unfit{v.taken}
		}
	}
	return dst, nil
}

// unfit is errUnfit with whose value it was: an API's is the API's fault, a
// person's is a name that no account can have.
type unfit struct{ taken bool }

func (unfit) Error() string { return errUnfit.Error() }
func (unfit) Unwrap() error { return errUnfit }
