package configs

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"

	"coatcheck/bff/credential"
)

// MinKey is the least length of a sealing key in bytes: 256 bits.
const MinKey = 32

// ErrShortKey means a sealing key of fewer than 32 bytes.
var ErrShortKey = errors.New("a sealing key needs at least 32 bytes")

// KeyBytes returns the bytes of one of sessions.keys. A key that is base64
// (RFC 4648 §4 or §5, with padding or without) of at least 32 bytes is decoded;
// any other text of at least 32 bytes is taken as it stands; else the error is
// [ErrShortKey]. Both rules look at the key alone, so that all replicas agree.
func KeyBytes(key credential.Secret) ([]byte, error) {
	text := key.Reveal()
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if raw, err := encoding.Strict().DecodeString(text); err == nil && len(raw) >= MinKey {
			return raw, nil
		}
	}
	if len(text) < MinKey {
		return nil, ErrShortKey
	}
	return []byte(text), nil
}

// ExampleKey stands in this project's documentation. Everybody knows it, so
// package check refuses it.
const ExampleKey = "Y29hdGNoZWNrIGV4YW1wbGUga2V5OiBtYWtlIHlvdXIgb3du"

// exampleKeys are the keys that stand in examples of this project.
var exampleKeys = []string{ExampleKey}

// IsExampleKey reports whether the bytes of a sealing key stand in an example.
func IsExampleKey(raw []byte) bool {
	return slices.ContainsFunc(exampleKeys, func(text string) bool {
		example, err := KeyBytes(credential.NewSecret(text))
		return err == nil && bytes.Equal(raw, example)
	})
}

// KeyVariety counts the different bytes: 32 random ones hold fewer than 20 only in
// one of many billions of cases.
func KeyVariety(raw []byte) int {
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
