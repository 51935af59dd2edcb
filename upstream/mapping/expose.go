package mapping

import (
	"encoding/json"
	"strings"
)

// Exposed picks what of a person a browser may see: fields by their names, and places
// inside them by pointers, which keep the objects around them. It denies by absence, and
// no pointer goes into a list.
func Exposed(user map[string]json.RawMessage, expose []string) map[string]any {
	seen := map[string]any{}
	for _, name := range expose {
		tokens := []string{name}
		if strings.HasPrefix(name, "/") {
			tokens, _ = parsePointer(name)
		}
		show(seen, user, tokens)
	}
	return seen
}

// show reports whether there is something at tokens.
func show(seen map[string]any, user map[string]json.RawMessage, tokens []string) bool {
	value, ok := user[tokens[0]]
	if !ok || len(tokens) == 1 {
		if ok {
			seen[tokens[0]] = value
		}
		return ok
	}
	var inner map[string]json.RawMessage
	if json.Unmarshal(value, &inner) != nil {
		return false
	}
	before, there := seen[tokens[0]]
	below, isPart := before.(map[string]any)
	switch {
	case there && !isPart:
		return true // the field is shown whole
	case !there:
		below = map[string]any{}
	}
	if !show(below, inner, tokens[1:]) {
		return false
	}
	seen[tokens[0]] = below
	return true
}
