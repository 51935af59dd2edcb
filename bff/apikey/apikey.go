// Package apikey makes and recognises the keys by which programs prove
// themselves.
//
// A key is 53 characters, one word:
//
//	cchk_  10 base62 (the id, public)  32 base62 (190 bits of secret)  6 base62 (checksum)
//
// Base62 is 0-9A-Za-z. The checksum is CRC-32 (IEEE) of all before it, written in
// base62 and padded on the left with 0, so that scanners of source code recognise
// a key without asking anybody. Only the SHA-256 of the whole key is kept.
//
// A [Table] holds all keys of a process: those of the configuration, by their
// hashes, and those made at run time, which are in a [Store]. Every replica holds
// the whole table, at most [MaxKeys], and compares a version number with the
// store's at most an age ago. A wrong key costs no question to the store: it is
// hashed, looked up in a map, and that is all, whatever is wrong with it.
//
// # Bounds
//
// Of what a caller sends, at most [maxPresented] bytes are hashed. Nothing of it is
// kept or logged; the id is logged of keys that are known.
package apikey

import (
	"crypto/rand"
	"crypto/sha256"
	"hash/crc32"
	"strings"

	"coatcheck/bff/credential"
)

const (
	// Prefix is what every key begins with.
	Prefix = "cchk_"
	// Length of a key in characters.
	Length = len(Prefix) + idLength + secretLength + sumLength

	idLength     = 10
	secretLength = 32
	sumLength    = 6

	// MaxKeys is how many keys made at run time there may be at once.
	MaxKeys = 10_000

	// maxPresented bounds the work for what a caller calls its key.
	maxPresented = 512
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Hash is the SHA-256 of a whole key.
type Hash [sha256.Size]byte

// Key is a new key. It is shown once.
type Key struct {
	ID     string            // public
	Secret credential.Secret // the whole key
	Hash   Hash              // of the whole key: what is kept
}

// New makes a key from the system's random source.
func New() Key {
	head := Prefix + random(idLength+secretLength)
	text := head + checksum(head)
	return Key{ID: text[len(Prefix) : len(Prefix)+idLength], Secret: credential.NewSecret(text), Hash: sha256.Sum256([]byte(text))}
}

// random returns n letters of base62, each as likely as the others.
func random(n int) string {
	var b strings.Builder
	one := make([]byte, 64)
	for b.Len() < n {
		_, _ = rand.Read(one) // never fails: see crypto/rand
		for _, c := range one {
			if c < 248 && b.Len() < n { // 4 × 62: no letter is favoured
				b.WriteByte(base62[c%62])
			}
		}
	}
	return b.String()
}

func checksum(head string) string {
	sum := crc32.ChecksumIEEE([]byte(head))
	var digits [sumLength]byte
	for i := sumLength - 1; i >= 0; i-- {
		digits[i] = base62[sum%62]
		sum /= 62
	}
	return string(digits[:])
}

// ID returns the public id of what has the form of a key, checksum included.
func ID(text string) (id string, ok bool) {
	if len(text) != Length || !strings.HasPrefix(text, Prefix) || !isBase62(text[len(Prefix):]) {
		return "", false
	}
	head := text[:Length-sumLength]
	return text[len(Prefix) : len(Prefix)+idLength], checksum(head) == text[Length-sumLength:]
}

func isBase62(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// hashOf is the hash of what a caller presented, and costs the same for a wrong
// key as for a right one.
func hashOf(presented credential.Secret) Hash {
	raw := presented.AppendReveal(make([]byte, 0, maxPresented))
	if len(raw) > maxPresented {
		raw = raw[:maxPresented]
	}
	return sha256.Sum256(raw)
}
