package signature

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind is the type of a value.
type kind byte

const (
	absent kind = iota
	text
	number
	truth
	null
	composite
)

// value is a scalar that stood somewhere in a call. A composite is the JSON text
// of an object or array.
type value struct {
	kind kind
	text string
}

// lookup finds what pointer (RFC 6901) names in a JSON document. Every key on the
// way must stand exactly once in its object: two readers could pick different ones.
func lookup(document []byte, pointer string) (value, error) {
	if len(document) == 0 || depthOf(document) > maxDepth || !json.Valid(document) {
		return value{}, Malformed
	}
	at := skipBlanks(document, 0)
	for pointer != "" {
		var token string
		token, pointer = nextToken(pointer)
		var err error
		if at, err = step(document, at, token); err != nil {
			return value{}, err
		}
	}
	return scalar(document[at:skipValue(document, at)])
}

// depthOf counts how deep brackets nest, those inside strings left out.
func depthOf(document []byte) int {
	depth, deepest, quoted := 0, 0, false
	for i := 0; i < len(document); i++ {
		switch c := document[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}

func nextToken(pointer string) (token, rest string) {
	token, rest, more := strings.Cut(pointer[1:], "/")
	if more {
		rest = "/" + rest
	}
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~"), rest
}

// step goes from the container that begins at to its member.
func step(document []byte, at int, token string) (int, error) {
	switch document[at] {
	case '{':
		return member(document, at, token)
	case '[':
		return element(document, at, token)
	}
	return 0, Missing
}

func member(document []byte, at int, token string) (found int, err error) {
	for at = skipBlanks(document, at+1); document[at] == '"'; {
		end := skipValue(document, at)
		same := isKey(document[at:end], token)
		at = skipBlanks(document, skipBlanks(document, end)+1) // the colon
		if same {
			if found != 0 {
				return 0, Twice
			}
			found = at
		}
		at = skipBlanks(document, skipValue(document, at))
		if document[at] == ',' {
			at = skipBlanks(document, at+1)
		}
	}
	if found == 0 {
		return 0, Missing
	}
	return found, nil
}

// isKey compares a quoted key, which may hold escapes, and copies it only then.
func isKey(quoted []byte, token string) bool {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner) == token
	}
	return unquote(quoted) == token
}

func element(document []byte, at int, token string) (int, error) {
	index, err := strconv.ParseUint(token, 10, 31)
	if err != nil || token != strconv.FormatUint(index, 10) { // RFC 6901 §4: no leading zeros
		return 0, Missing
	}
	for at = skipBlanks(document, at+1); document[at] != ']'; {
		if index == 0 {
			return at, nil
		}
		index--
		at = skipBlanks(document, skipValue(document, at))
		if document[at] == ',' {
			at = skipBlanks(document, at+1)
		}
	}
	return 0, Missing
}

func skipBlanks(document []byte, at int) int {
	for at < len(document) && strings.IndexByte(" \t\r\n", document[at]) >= 0 {
		at++
	}
	return at
}

// skipValue returns the end of the value that begins at. The document is valid.
func skipValue(document []byte, at int) int {
	switch document[at] {
	case '"':
		return skipString(document, at)
	case '{', '[':
		return skipContainer(document, at)
	}
	for at < len(document) && strings.IndexByte(",]} \t\r\n", document[at]) < 0 {
		at++
	}
	return at
}

func skipString(document []byte, at int) int {
	for at++; document[at] != '"'; at++ {
		if document[at] == '\\' {
			at++
		}
	}
	return at + 1
}

func skipContainer(document []byte, at int) int {
	for depth := 0; ; {
		switch document[at] {
		case '"':
			at = skipString(document, at)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		at++
		if depth == 0 {
			return at
		}
	}
}

func unquote(quoted []byte) string {
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return ""
	}
	return s
}

func scalar(raw []byte) (value, error) {
	switch c := raw[0]; {
	case c == '"':
		return value{text, unquote(raw)}, nil
	case c == 't' || c == 'f':
		return value{truth, string(raw)}, nil
	case c == 'n':
		return value{null, "null"}, nil
	case c == '{' || c == '[':
		if skipBlanks(raw, 1) == len(raw)-1 {
			return value{composite, ""}, nil
		}
		return value{composite, "…"}, nil
	}
	return value{number, string(raw)}, nil
}
