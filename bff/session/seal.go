package session

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"strconv"
	"time"
)

// The places of a record's parts; see the package comment. Stores know the
// stamp and the generation, nothing else of it.
const (
	recordMagic   = "cc"
	recordVersion = 1
	stampLen      = 13 // decimal milliseconds since 1970
	versionAt     = stampLen + len(recordMagic)
	keyIDAt       = versionAt + 1
	generationAt  = keyIDAt + len(keyID{})
	frontendAt    = generationAt + 8
	maxFrontend   = 255
)

// Why a record does not open.
var (
	errCorrupt    = errors.New("session: record is corrupt or was moved")
	errNewer      = errors.New("session: record has the format of a newer version")
	errUnknownKey = errors.New("session: record is sealed under an unknown key")
)

// seal returns header and sealed plain text. It lacks the stamp, which is no
// part of what is sealed.
func seal(k *serverKey, t Ticket, storeKey, frontend string, generation uint64, plain []byte) ([]byte, error) {
	if len(frontend) > maxFrontend {
		return nil, errors.New("session: the frontend's name is too long")
	}
	aead, err := k.record(t)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, frontendAt-stampLen+1+len(frontend)+aead.NonceSize()+len(plain)+aead.Overhead())
	b = append(b, recordMagic...)
	b = append(b, recordVersion)
	b = append(b, k.id[:]...)
	b = binary.BigEndian.AppendUint64(b, generation)
	b = append(b, byte(len(frontend)))
	b = append(b, frontend...)
	return sealBehind(aead, b, storeKey, plain), nil
}

// sealBehind appends a fresh nonce and the sealed plain text to header.
// Associated data is the header and the place where it will lie.
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
		return nil, errCorrupt
	}
	ad := append(b[:n:n], place...)
	plain, err := aead.Open(nil, rest[:aead.NonceSize()], rest[aead.NonceSize():], ad)
	if err != nil {
		return nil, errCorrupt
	}
	return plain, nil
}

// opened is a stored value after its seal was broken.
type opened struct {
	seen       time.Time
	generation uint64
	frontend   string
	plain      []byte
}

// unseal opens a stored value. It never panics, whatever lies in the store.
func (ring keyring) unseal(t Ticket, storeKey string, value []byte) (o opened, err error) {
	k, n, err := ring.header(value)
	if err != nil {
		return o, err
	}
	seen, ok := stampOf(value)
	if !ok {
		return o, errCorrupt
	}
	aead, err := k.record(t)
	if err != nil {
		return o, err
	}
	o.seen = seen
	o.generation = binary.BigEndian.Uint64(value[generationAt:])
	o.frontend = string(value[frontendAt+1 : n])
	o.plain, err = openBehind(aead, value[stampLen:], n-stampLen, storeKey)
	return o, err
}

// header finds the key that sealed value and where the header ends.
func (ring keyring) header(value []byte) (*serverKey, int, error) {
	if len(value) <= frontendAt || string(value[stampLen:versionAt]) != recordMagic {
		return nil, 0, errCorrupt
	}
	if version := value[versionAt]; version > recordVersion {
		return nil, 0, errNewer
	} else if version == 0 {
		return nil, 0, errCorrupt
	}
	n := frontendAt + 1 + int(value[frontendAt])
	if len(value) < n {
		return nil, 0, errCorrupt
	}
	k := ring.byID(keyID(value[keyIDAt:generationAt]))
	if k == nil {
		return nil, 0, errUnknownKey
	}
	return k, n, nil
}

// generationOf reads the generation of a stored value; 0 if it has none.
func generationOf(value []byte) uint64 {
	if len(value) < frontendAt {
		return 0
	}
	return binary.BigEndian.Uint64(value[generationAt:])
}

// appendStamp writes t as the 13 digits in front of a record.
func appendStamp(b []byte, t time.Time) []byte {
	digits := strconv.FormatInt(max(t.UnixMilli(), 0), 10)
	for range stampLen - len(digits) {
		b = append(b, '0')
	}
	return append(b, digits...)
}

// stampOf reads the time of the last extension; false where there is none.
func stampOf(value []byte) (time.Time, bool) {
	if len(value) < stampLen {
		return time.Time{}, false
	}
	ms, err := strconv.ParseUint(string(value[:stampLen]), 10, 63)
	if err != nil {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(ms)), true
}
