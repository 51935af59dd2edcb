package check

import (
	"coatcheck/configs"
)

// keys checks the sealing keys, by their bytes: two spellings are one key.
func (ck processCheck) keys() {
	seen := map[string]bool{}
	for i, key := range ck.Config.Sessions.Keys {
		path := item("sessions.keys", i)
		raw, err := configs.KeyBytes(key)
		switch {
		case err != nil:
			ck.Refuse(path, "the key is shorter than 32 bytes", "`coatcheck keygen` makes one")
		case configs.IsExampleKey(raw):
			ck.Refuse(path, "this key is published in an example", "`coatcheck keygen` makes one")
		case seen[string(raw)]:
			ck.Refuse(path, "the same key is listed twice", "")
		case configs.KeyVariety(raw) < 12:
			ck.Warn(path, "this key does not look random", "`coatcheck keygen` makes one")
		}
		seen[string(raw)] = true
	}
}
