package check

import (
	"bytes"
	"slices"

	"coatcheck/bff/credential"
	"coatcheck/configs"
)

// exampleKeys are the keys that stand in examples of this project.
var exampleKeys = []string{configs.ExampleKey}

// keys checks the sealing keys, by their bytes: two spellings are one key.
func (ck processCheck) keys() {
	seen := map[string]bool{}
	for i, key := range ck.config.Sessions.Keys {
		path := item("sessions.keys", i)
		raw, err := configs.KeyBytes(key)
		switch {
		case err != nil:
			ck.refuse(path, "the key is shorter than 32 bytes", "`coatcheck keygen` makes one")
		case isExample(raw):
			ck.refuse(path, "this key is published in an example", "`coatcheck keygen` makes one")
		case seen[string(raw)]:
			ck.refuse(path, "the same key is listed twice", "")
		case variety(raw) < 12:
			ck.warn(path, "this key does not look random", "`coatcheck keygen` makes one")
		}
		seen[string(raw)] = true
	}
}

func isExample(raw []byte) bool {
	return slices.ContainsFunc(exampleKeys, func(text string) bool {
		example, err := configs.KeyBytes(credential.NewSecret(text))
		return err == nil && bytes.Equal(raw, example)
	})
}

// variety counts the different bytes: 32 random ones hold fewer than 20 only in
// one of many billions of cases.
func variety(raw []byte) int {
	var seen [256]bool
	n := 0
	for _, b := range raw {
		if !seen[b] {
			seen[b] = true
			n++
		}
	}
	return n
}
