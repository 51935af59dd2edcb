package configs

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"

	"coatcheck/bff/credential"
)

// minKey is the least length of a sealing key in bytes: 256 bits.
const minKey = 32

// ErrShortKey means a sealing key of fewer than 32 bytes.
var ErrShortKey = errors.New("a sealing key needs at least 32 bytes")

// KeyBytes returns the bytes of one of sessions.keys. A key that is base64
// (RFC 4648 §4 or §5, with padding or without) of at least 32 bytes is decoded;
// any other text of at least 32 bytes is taken as it stands; else the error is
// [ErrShortKey]. Both rules look at the key alone, so that all replicas agree.
func KeyBytes(key credential.Secret) ([]byte, error) {
	text := key.Reveal()
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if raw, err := encoding.Strict().DecodeString(text); err == nil && len(raw) >= minKey {
			return raw, nil
		}
	}
	if len(text) < minKey {
		return nil, ErrShortKey
	}
	return []byte(text), nil
}

// ExampleKey stands in this project's documentation. Everybody knows it, so
// [Check] refuses it; so it does the others of exampleKeys.
const ExampleKey = "Y29hdGNoZWNrIGV4YW1wbGUga2V5OiBtYWtlIHlvdXIgb3du"

// exampleKeys are the keys that stand in examples of this project.
var exampleKeys = []string{ExampleKey}

// keys checks the sealing keys, by their bytes: two spellings are one key.
func (ck *checker) keys() {
	seen := map[string]bool{}
	for i, key := range ck.config.Sessions.Keys {
		path := item("sessions.keys", i)
		raw, err := KeyBytes(key)
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
		example, err := KeyBytes(credential.NewSecret(text))
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
