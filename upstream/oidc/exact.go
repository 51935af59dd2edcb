package oidc

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
)

// readExactly reads one JSON object into v, by the very names of its members. All that
// providers use are in small letters; encoding/json alone would let "Access_Token"
// replace "access_token".
func readExactly(text []byte, v any) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	maps.DeleteFunc(all, func(name string, _ json.RawMessage) bool { return strings.ToLower(name) != name })
	exact, err := json.Marshal(all)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(exact))
	d.UseNumber()
	return d.Decode(v)
}
