// Package keyring holds the server's keys and what is sealed under them.
//
// A record is sealed with XChaCha20-Poly1305 under HKDF-SHA256 (RFC 5869) of a server key
// and a secret that the server does not keep, such as a ticket: neither alone opens it. A
// box is sealed under the server key alone. Names are HMACs, so that nothing can be read
// out of a store's keys.
//
// Everything here is pure: no I/O, no clock, no package state.
package keyring

import (
	"bytes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"

	"coatcheck/bff/credential"
)

// MinKeyLen is the least length of a server key, in bytes.
const MinKeyLen = 32

// Key is one of the server's keys and what is derived from it.
type Key struct {
	id     keyID
	secret credential.Secret
	names  credential.Secret // HMAC key for names in the store
	boxes  cipher.AEAD       // seals boxes
}

// keyID says in the clear which key sealed something. It is derived one way, so
// it tells nothing of the key.
type keyID [4]byte

// Ring holds the server's keys: the first seals, all of them open. It is immutable.
type Ring struct{ keys, sorted []*Key }

// New makes a ring. Errors are mistakes in the list: it is empty, or a key has less than
// [MinKeyLen] bytes or is there twice. They name a key by its place, from 1.
func New(keys []credential.Secret) (Ring, error) {
	if len(keys) == 0 {
		return Ring{}, errors.New("keyring: no sealing key")
	}
	var ring Ring
	for i, secret := range keys {
		if secret.Len() < MinKeyLen {
			return Ring{}, fmt.Errorf("keyring: key %d has less than %d bytes", i+1, MinKeyLen)
		}
		k, err := newKey(secret)
		if err != nil {
			return Ring{}, err
		}
		if ring.byID(k.id) != nil {
			return Ring{}, fmt.Errorf("keyring: key %d is in the list twice", i+1)
		}
		ring.keys = append(ring.keys, k)
	}
	ring.sorted = slices.SortedFunc(slices.Values(ring.keys), func(a, b *Key) int { return bytes.Compare(a.id[:], b.id[:]) })
	return ring, nil
}

func newKey(secret credential.Secret) (*Key, error) {
	k := &Key{secret: secret}
	id, err := k.derive("coatcheck/v1/key-id", nil, len(k.id))
	if err != nil {
		return nil, err
	}
	copy(k.id[:], id)
	names, err := k.derive("coatcheck/v1/name", nil, 32)
	if err != nil {
		return nil, err
	}
	k.names = credential.NewSecret(string(names))
	k.boxes, err = k.Cipher("coatcheck/v1/index")
	return k, err
}

// derive is HKDF-SHA256 (RFC 5869) of the server key, with more secret bytes
// behind it, for the purpose that info names.
func (k *Key) derive(info string, more []byte, n int) ([]byte, error) {
	material := append(k.secret.AppendReveal(nil), more...)
	return hkdf.Key(sha256.New, material, nil, info, n)
}

// record returns the cipher of one record, which needs the secret too.
func (k *Key) record(secret []byte) (cipher.AEAD, error) {
	key, err := k.derive("coatcheck/v1/record", secret, chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	return chacha20poly1305.NewX(key)
}

// ID says in the clear which key it is, in four bytes; nothing of the key can be told from it.
func (k *Key) ID() []byte { return k.id[:] }

// Cipher is XChaCha20-Poly1305 under the key alone, for a purpose of the caller's, such as
// "coatcheck/v1/attempt". No two purposes open what the other sealed.
func (k *Key) Cipher(purpose string) (cipher.AEAD, error) {
	key, err := k.derive(purpose, nil, chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	return chacha20poly1305.NewX(key)
}

// Name hides parts in a store key's name: hex HMAC-SHA256 over the parts, each
// behind its length so that no two lists of parts look alike.
func (k *Key) Name(parts ...string) string {
	mac := hmac.New(sha256.New, k.names.AppendReveal(nil))
	for _, part := range parts {
		mac.Write(binary.AppendUvarint(nil, uint64(len(part))))
		mac.Write([]byte(part))
	}
	return hex.EncodeToString(mac.Sum(nil))
}

func (ring Ring) byID(id keyID) *Key {
	for _, k := range ring.keys {
		if k.id == id {
			return k
		}
	}
	return nil
}

// First is the key that seals.
func (ring Ring) First() *Key { return ring.keys[0] }

// Keys returns all keys, the one that seals first. The caller must not change the list.
func (ring Ring) Keys() []*Key { return ring.keys }

// Names hides parts under every key, in an order that does not depend on the list's:
// replicas whose lists differ take shared counters in the same order.
func (ring Ring) Names(parts ...string) []string {
	names := make([]string, len(ring.sorted))
	for i, k := range ring.sorted {
		names[i] = k.Name(parts...)
	}
	return names
}
