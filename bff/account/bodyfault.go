package account

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// notFlat is the reason where nothing more precise is known.
const notFlat = "the body is not one flat JSON object without empty values, each name once"

// bodyFault says for the log why a sign-in body is refused. It holds no byte of the body:
// even a name in it may be a password.
func bodyFault(body []byte) string {
	if !utf8.Valid(body) {
		return "the body is not UTF-8"
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return notFlat
	}
	seen := map[string]bool{}
	for d.More() {
		name, ok := stringToken(d)
		value, err := d.Token()
		if !ok || err != nil {
			return notFlat
		}
		if seen[name] {
			return "a field is there twice"
		}
		seen[name] = true
		if fault := valueFault(value); fault != "" {
			return fault
		}
	}
	return notFlat
}

// valueFault says what is wrong with a field's value; "": nothing.
func valueFault(value json.Token) string {
	switch v := value.(type) {
	case string:
		if v == "" {
			return "a field is empty"
		}
		if strings.IndexByte(v, 0) >= 0 {
			return "a field has a NUL"
		}
		return ""
	case bool, json.Number:
		return ""
	case nil:
		return "a field is null: leave an optional one out"
	}
	return "a field is a list or an object: sign-in fields are strings, booleans or numbers"
}
