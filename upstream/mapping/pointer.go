package mapping

import (
	"strconv"
	"strings"
)

// CheckPointer holds s against the syntax of a JSON pointer (RFC 6901 §3); nil: it is one.
func CheckPointer(s string) *Fault {
	_, fault := parsePointer(s)
	return fault
}

// parsePointer takes a JSON pointer apart (RFC 6901 §3, §4).
func parsePointer(s string) ([]string, *Fault) {
	if s == "" {
		return nil, nil
	}
	if s[0] != '/' {
		hint := "/" + strings.ReplaceAll(strings.TrimPrefix(s, "$."), ".", "/")
		if CheckPointer(hint) != nil {
			hint = ""
		}
		return nil, &Fault{"", "a place in JSON begins with / (RFC 6901)", hint}
	}
	tokens := strings.Split(s[1:], "/")
	for i, t := range tokens {
		for rest := t; strings.Contains(rest, "~"); {
			_, rest, _ = strings.Cut(rest, "~")
			if rest == "" || rest[0] != '0' && rest[0] != '1' {
				return nil, &Fault{"", "in a pointer ~ is written ~0, and / inside a name ~1 (RFC 6901)", ""}
			}
		}
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(t, "~1", "/"), "~0", "~")
	}
	return tokens, nil
}

// Pointer writes a JSON pointer (RFC 6901 §3).
func Pointer(tokens ...string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(t))
	}
	return b.String()
}

// walk goes from doc along the tokens of a pointer.
func walk(doc any, tokens []string) (any, bool) {
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

// cut removes what stands at a pointer. In a list it leaves null, so that the
// places behind it stay where they are.
func cut(doc any, tokens []string) {
	last := len(tokens) - 1
	parent, _ := walk(doc, tokens[:last])
	switch parent := parent.(type) {
	case map[string]any:
		delete(parent, tokens[last])
	case []any:
		if i, ok := index(tokens[last]); ok && i < len(parent) {
			parent[i] = nil
		}
	}
}
