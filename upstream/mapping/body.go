package mapping

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
)

// Body is a request body as written in the file: maps, lists and scalars. In it
// a string that is exactly "{name}" is replaced whole; other text is [PlainText].
// It prints as a secret, because operators put client secrets there.
type Body struct{ value *any }

// Value returns the body as map[string]any, []any, string, int64, uint64,
// float64, bool or nil; ok is false where the file gives none. Callers do not change it.
func (b Body) Value() (value any, ok bool) {
	if b.value == nil {
		return nil, false
	}
	return *b.value, true
}

// NewBody makes a body of a decoded value.
func NewBody(value any) Body { return Body{&value} }

// String implements [fmt.Stringer]; it never prints the body.
func (Body) String() string { return "[secret]" }

// GoString implements [fmt.GoStringer]; it never prints the body.
func (Body) GoString() string { return "[secret]" }

// absent is a {name} without a value: its key is left out.
type absent struct{}

// bodyNames lists the {names} in a body.
func bodyNames(body any) []string {
	var names []string
	switch b := body.(type) {
	case string:
		if name, ok := NewTemplate(b).Whole(); ok {
			names = append(names, name)
		}
	case []any:
		for _, item := range b {
			names = append(names, bodyNames(item)...)
		}
	case map[string]any:
		for _, item := range b {
			names = append(names, bodyNames(item)...)
		}
	}
	return names
}

// isFlat reports whether a form can hold body (WHATWG URL,
// application/x-www-form-urlencoded).
func isFlat(body any) bool {
	fields, isMap := body.(map[string]any)
	if !isMap {
		return false
	}
	for _, field := range fields {
		for _, item := range items(field) {
			switch item.(type) {
			case map[string]any, []any:
				return false
			}
		}
	}
	return true
}

// items is a list, or the one thing that is none.
func items(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

// payload fills in the body; nil where the request has none.
func (r *Request) payload(v *Values) []byte {
	body, ok := r.Body.Value()
	if !ok {
		return nil
	}
	filled := fillBody(body, v)
	if !r.IsForm() {
		return Encode(filled)
	}
	form := url.Values{}
	fields, _ := filled.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		for _, item := range items(fields[name]) {
			if text, ok := formText(item); ok {
				form.Add(name, text)
			}
		}
	}
	return []byte(form.Encode())
}

// fillBody copies a body with every text that is exactly a {name} replaced, type
// kept. Other text stays as it is, braces and all (GraphQL), but for "{{".
func fillBody(body any, v *Values) any {
	switch b := body.(type) {
	case string:
		name, ok := NewTemplate(b).Whole()
		if !ok {
			return PlainText(b)
		}
		found := v.find(name)
		if found.secret.IsEmpty() {
			return absent{}
		}
		return found.json()
	case []any:
		list := []any{}
		for _, item := range b {
			if filled := fillBody(item, v); filled != (absent{}) {
				list = append(list, filled)
			}
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(b))
		for key, item := range b {
			if filled := fillBody(item, v); filled != (absent{}) {
				object[key] = filled
			}
		}
		return object
	}
	return body
}

// formText is a body value as a form writes it; null is left out.
func formText(v any) (string, bool) {
	if text, ok := Text(v); ok {
		return text, true
	}
	switch v := v.(type) {
	case int64, uint64:
		return fmt.Sprint(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case nil, absent:
		return "", false
	}
	return string(Encode(v)), true
}
