package keyring

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
)

// The places of a sealed record's parts: "cc", format version, key id, generation, and
// the frontend's name behind its length. Nonce and box follow.
const (
	magic        = "cc"
	version      = 1
	versionAt    = len(magic)
	keyIDAt      = versionAt + 1
	generationAt = keyIDAt + len(keyID{})
	frontendAt   = generationAt + 8
	maxFrontend  = 255
)

// Why something does not open.
var (
	ErrCorrupt    = errors.New("keyring: record is corrupt or was moved")
	ErrNewer      = errors.New("keyring: record has the format of a newer version")
	ErrUnknownKey = errors.New("keyring: record is sealed under an unknown key")
)

// Opened is a record after its seal was broken.
type Opened struct {
	Generation uint64 // counts credentials, from 1
	Frontend   string // by name
	Plain      []byte // what had been sealed
}

// Seal returns header and sealed plain text, bound to the place where it will lie. Only
// Open with the same secret and place opens it. The one error is a frontend's name over
// 255 bytes.
func (k *Key) Seal(secret []byte, place, frontend string, generation uint64, plain []byte) ([]byte, error) {
	if len(frontend) > maxFrontend {
		return nil, errors.New("keyring: the frontend's name is too long")
	}
	aead, err := k.record(secret)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, frontendAt+1+len(frontend)+aead.NonceSize()+len(plain)+aead.Overhead())
	b = append(b, magic...)
	b = append(b, version)
	b = append(b, k.id[:]...)
	b = binary.BigEndian.AppendUint64(b, generation)
	b = append(b, byte(len(frontend)))
	b = append(b, frontend...)
	return sealBehind(aead, b, place, plain), nil
}

// Open opens what Seal made. It never panics, whatever it is given. Errors: [ErrCorrupt],
// [ErrNewer], [ErrUnknownKey].
func (ring Ring) Open(secret []byte, place string, sealed []byte) (o Opened, err error) {
	k, n, err := ring.header(sealed)
	if err != nil {
		return o, err
	}
	aead, err := k.record(secret)
	if err != nil {
		return o, err
	}
	o.Generation = binary.BigEndian.Uint64(sealed[generationAt:])
	o.Frontend = string(sealed[frontendAt+1 : n])
	o.Plain, err = openBehind(aead, sealed, n, place)
	return o, err
}

// header finds the key that sealed b and where the header ends.
func (ring Ring) header(b []byte) (*Key, int, error) {
	if len(b) <= frontendAt || string(b[:versionAt]) != magic {
		return nil, 0, ErrCorrupt
	}
	if b[versionAt] > version {
		return nil, 0, ErrNewer
	} else if b[versionAt] == 0 {
		return nil, 0, ErrCorrupt
	}
	n := frontendAt + 1 + int(b[frontendAt])
	if len(b) < n {
		return nil, 0, ErrCorrupt
	}
	k := ring.byID(keyID(b[keyIDAt:generationAt]))
	if k == nil {
		return nil, 0, ErrUnknownKey
	}
	return k, n, nil
}

// boxHeader is the clear part of a box: format version and key id.
const boxHeader = 1 + len(keyID{})

// SealBox seals plain under the server key alone, bound to the place where it will lie.
func (k *Key) SealBox(place string, plain []byte) []byte {
	return sealBehind(k.boxes, append([]byte{version}, k.id[:]...), place, plain)
}

// OpenBox opens what SealBox made; false for anything else, another key's box included.
func (k *Key) OpenBox(place string, b []byte) ([]byte, bool) {
	if len(b) < boxHeader || b[0] != version || keyID(b[1:boxHeader]) != k.id {
		return nil, false
	}
	plain, err := openBehind(k.boxes, b, boxHeader, place)
	return plain, err == nil
}

// sealBehind appends a fresh nonce and the sealed plain text to header.
// Associated data is the header and the place.
func sealBehind(aead cipher.AEAD, header []byte, place string, plain []byte) []byte {
	ad := append(header[:len(header):len(header)], place...)
	n := len(header)
	b := append(header, make([]byte, aead.NonceSize())...)
	nonce := b[n:]
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the process instead
	return aead.Seal(b, nonce, plain, ad)
}

// openBehind opens what sealBehind made; header is its first n bytes.
func openBehind(aead cipher.AEAD, b []byte, n int, place string) ([]byte, error) {
	rest := b[n:]
	if len(rest) < aead.NonceSize()+aead.Overhead() {
		return nil, ErrCorrupt
	}
	ad := append(b[:n:n], place...)
	plain, err := aead.Open(nil, rest[:aead.NonceSize()], rest[aead.NonceSize():], ad)
	if err != nil {
		return nil, ErrCorrupt
	}
	return plain, nil
}
