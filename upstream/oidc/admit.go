package oidc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"coatcheck/configs"
	"coatcheck/configs/rule"
)

// Admit holds a person against the lines of admit: all must match. It is
// [ErrNotAdmitted] where one does not.
func (p people) Admit(user map[string]json.RawMessage) error {
	return p.within("admit", p.admit(user))
}

func (p people) admit(user map[string]json.RawMessage) error {
	if len(p.config.Admit) == 0 {
		return nil
	}
	text, err := json.Marshal(user)
	if err != nil {
		return failed("claims are not JSON")
	}
	doc, err := decodeJSON(text)
	if err != nil {
		return err
	}
	for i, line := range p.config.Admit {
		if !matches(line, at(doc, line.At)) {
			return fmt.Errorf("%w: line %d of admit does not match", ErrNotAdmitted, i+1)
		}
	}
	return nil
}

// matches reports whether a claim, or one item of it where it is a list, equals one of
// the values of a line. Absent never matches.
func matches(line configs.AdmitRule, claim any) bool {
	items, isList := claim.([]any)
	if !isList {
		items = []any{claim}
	}
	for _, have := range items {
		for _, want := range line.Is.Values {
			if have != (missing{}) && equal(have, want) {
				return true
			}
		}
	}
	return false
}

// equal compares two scalars, each as its own kind: the text "1" is not the number 1.
func equal(have, want any) bool {
	switch want := want.(type) {
	case string:
		text, ok := have.(string)
		return ok && text == want
	case nil:
		return have == nil
	case bool:
		truth, ok := have.(bool)
		return ok && truth == want
	}
	number, ok := have.(json.Number)
	return ok && rule.SameNumber(number.String(), fmt.Sprint(want))
}

// missing stands for what is not there.
type missing struct{}

// at follows a JSON pointer (RFC 6901 §4) into a decoded document.
func at(doc any, pointer string) any {
	if pointer == "" {
		return doc
	}
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch here := doc.(type) {
		case map[string]any:
			value, ok := here[token]
			if !ok {
				return missing{}
			}
			doc = value
		case []any:
			i, err := strconv.ParseUint(token, 10, 31)
			if err != nil || strconv.FormatUint(i, 10) != token || i >= uint64(len(here)) {
				return missing{}
			}
			doc = here[i]
		default:
			return missing{}
		}
	}
	return doc
}

// decodeJSON reads one JSON value, numbers as they are written.
func decodeJSON(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var doc any
	if d.Decode(&doc) != nil || len(bytes.TrimSpace(text[d.InputOffset():])) > 0 {
		return nil, failed("the document is not JSON")
	}
	return doc, nil
}
