package session

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

// serverKey is one of the server's sealing keys and what is derived from it.
// Records are sealed under a key that needs the ticket too; names and entries
// of the person's index under keys that the server alone can make.
type serverKey struct {
	id      keyID
	secret  credential.Secret
	names   credential.Secret // HMAC key for names in the store
	entries cipher.AEAD       // seals entries of the index
}

// keyID says in the clear which key sealed something. It is derived one way, so
// it tells nothing of the key.
type keyID [4]byte

// keyring holds the server's keys: the first seals, all of them open.
type keyring []*serverKey

func newKeyring(keys []credential.Secret) (keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("session: no sealing key")
	}
	var ring keyring
	for i, secret := range keys {
		if secret.Len() < MinKeyLen {
			return nil, fmt.Errorf("session: key %d has less than %d bytes", i+1, MinKeyLen)
		}
		k, err := newServerKey(secret)
		if err != nil {
			return nil, err
		}
		if ring.byID(k.id) != nil {
			return nil, fmt.Errorf("session: key %d stands in the list twice", i+1)
		}
		ring = append(ring, k)
	}
	return ring, nil
}

func newServerKey(secret credential.Secret) (*serverKey, error) {
	k := &serverKey{secret: secret}
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
	entries, err := k.derive("coatcheck/v1/index", nil, chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	k.entries, err = chacha20poly1305.NewX(entries)
	return k, err
}

// derive is HKDF-SHA256 (RFC 5869) of the server key, with more secret bytes
// behind it, for the purpose that info names.
func (k *serverKey) derive(info string, more []byte, n int) ([]byte, error) {
	material := append(k.secret.AppendReveal(nil), more...)
	return hkdf.Key(sha256.New, material, nil, info, n)
}

// record returns the cipher of one session's record.
func (k *serverKey) record(t Ticket) (cipher.AEAD, error) {
	key, err := k.derive("coatcheck/v1/record", t.text[:], chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	return chacha20poly1305.NewX(key)
}

// name hides parts in a store key's name: hex HMAC-SHA256 over the parts, each
// behind its length so that no two lists of parts look alike.
func (k *serverKey) name(parts ...string) string {
	mac := hmac.New(sha256.New, k.names.AppendReveal(nil))
	for _, part := range parts {
		mac.Write(binary.AppendUvarint(nil, uint64(len(part))))
		mac.Write([]byte(part))
	}
	return hex.EncodeToString(mac.Sum(nil))
}

func (ring keyring) byID(id keyID) *serverKey {
	for _, k := range ring {
		if k.id == id {
			return k
		}
	}
	return nil
}

// sorted returns the keys in an order that does not depend on the list's:
// replicas whose lists differ take shared counters in the same order.
func (ring keyring) sorted() keyring {
	s := slices.Clone(ring)
	slices.SortFunc(s, func(a, b *serverKey) int { return bytes.Compare(a.id[:], b.id[:]) })
	return s
}
