package signin

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
)

// absent is a {name} without a value: its key is left out.
type absent struct{}

// bodyNames lists the {names} in a body.
func bodyNames(body any) []string {
	var names []string
	switch b := body.(type) {
	case string:
		if name, ok := parseTemplate(b).whole(); ok {
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

// checkBody refuses a form that no form can hold.
func (r *request) checkBody() error {
	body, ok := r.body.Value()
	if !ok || !r.form {
		return nil
	}
	fields, isMap := body.(map[string]any)
	if !isMap {
		return errors.New("a form is a map")
	}
	for _, field := range fields {
		for _, item := range items(field) {
			switch item.(type) {
			case map[string]any, []any:
				return errors.New("a form holds text, numbers and lists of them")
			}
		}
	}
	return nil
}

// items is a list, or the one thing that is none.
func items(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

// payload fills in the body; nil where the request has none.
func (r *request) payload(v *values) []byte {
	body, ok := r.body.Value()
	if !ok {
		return nil
	}
	filled := fillBody(body, v)
	if !r.form {
		return encode(filled)
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
// kept. Other text stays as it is, braces and all (GraphQL).
func fillBody(body any, v *values) any {
	switch b := body.(type) {
	case string:
		name, ok := parseTemplate(b).whole()
		if !ok {
			return b
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
	if text, ok := scalar(v); ok {
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
	return string(encode(v)), true
}
