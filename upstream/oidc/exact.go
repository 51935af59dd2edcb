package oidc

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
	"unicode"
)

// readExactly reads one JSON object into v, by the very names of its members. Those
// that are read here consist of small letters of ASCII; encoding/json alone would let
// "Access_Token" replace "access_token", and so would "acceſs_token" (U+017F).
func readExactly(text []byte, v any) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	maps.DeleteFunc(all, func(name string, _ json.RawMessage) bool { return strings.ContainsFunc(name, isFolded) })
	exact, err := json.Marshal(all)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(exact))
	d.UseNumber()
	return d.Decode(v)
}

// isFolded reports whether encoding/json may take r for another letter.
func isFolded(r rune) bool { return r >= 'A' && r <= 'Z' || r > unicode.MaxASCII }
