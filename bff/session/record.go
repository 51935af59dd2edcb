package session

import (
	"encoding/binary"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/keyring"
	"coatcheck/bff/session/pack"
)

// Fields of a record: a list of (number, length, bytes). A reader skips numbers
// it does not know, so that the previous minor version reads what the next one
// writes. Numbers are never given twice.
const (
	fieldID             = 1
	fieldSubject        = 2
	fieldUser           = 3
	fieldCreated        = 4
	fieldEnds           = 5
	fieldExpires        = 6
	fieldRefreshExpires = 7
	fieldValue          = 8 // of the credential, once for each: name, packed value
)

// Record is what is sealed: who, and what the API gave.
type Record struct {
	// ID is the public handle. Subject is the person's name at the API.
	ID, Subject string

	// User is a JSON object.
	User []byte

	// Created and Ends are times of the store's clock, in whole milliseconds.
	Created, Ends time.Time

	Credential *credential.Credential
}

func (r *Record) encode() []byte {
	b := make([]byte, 0, 256)
	b = appendField(b, fieldID, r.ID)
	b = appendField(b, fieldSubject, r.Subject)
	b = appendField(b, fieldUser, r.User)
	b = appendTime(b, fieldCreated, r.Created)
	b = appendTime(b, fieldEnds, r.Ends)
	if r.Credential == nil {
		return b
	}
	b = appendTime(b, fieldExpires, r.Credential.Expires)
	b = appendTime(b, fieldRefreshExpires, r.Credential.RefreshExpires)
	for name, value := range r.Credential.Values() {
		b = appendField(b, fieldValue, pack.AppendValue(pack.AppendBytes(nil, name), value.AppendReveal(nil)))
	}
	return b
}

func appendField[T []byte | string](b []byte, number uint64, value T) []byte {
	if len(value) == 0 {
		return b
	}
	return pack.AppendBytes(binary.AppendUvarint(b, number), value)
}

// appendTime writes milliseconds since 1970; the zero time is left out.
func appendTime(b []byte, number uint64, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	return appendField(b, number, binary.AppendVarint(nil, t.UnixMilli()))
}

// recordReader gathers the fields while they are read.
type recordReader struct {
	Record
	expires, refreshExpires time.Time
	values                  map[string]credential.Secret
}

// decodeRecord reads what encode wrote. It never panics.
func decodeRecord(b []byte) (*Record, error) {
	r := recordReader{values: map[string]credential.Secret{}}
	if err := eachField(b, r.field); err != nil {
		return nil, err
	}
	if r.ID == "" || r.Ends.IsZero() {
		return nil, keyring.ErrCorrupt
	}
	r.Credential = credential.New(r.values, r.expires, r.refreshExpires)
	return &r.Record, nil
}

// eachField hands over the fields of b until one is refused.
func eachField(b []byte, take func(number uint64, value []byte) bool) error {
	for len(b) > 0 {
		number, size := binary.Uvarint(b)
		if size <= 0 {
			return keyring.ErrCorrupt
		}
		value, rest, ok := pack.CutBytes(b[size:])
		if !ok || !take(number, value) {
			return keyring.ErrCorrupt
		}
		b = rest
	}
	return nil
}

func (r *recordReader) field(number uint64, value []byte) bool {
	switch number {
	case fieldID:
		r.ID = string(value)
	case fieldSubject:
		r.Subject = string(value)
	case fieldUser:
		r.User = append([]byte(nil), value...)
	case fieldCreated:
		return readTime(&r.Created, value)
	case fieldEnds:
		return readTime(&r.Ends, value)
	case fieldExpires:
		return readTime(&r.expires, value)
	case fieldRefreshExpires:
		return readTime(&r.refreshExpires, value)
	case fieldValue:
		return r.secret(value)
	}
	return true
}

func (r *recordReader) secret(b []byte) bool {
	name, packed, ok := pack.CutBytes(b)
	if !ok {
		return false
	}
	value, ok := pack.Value(packed)
	if ok {
		r.values[string(name)] = credential.NewSecret(value)
	}
	return ok
}

func readTime(t *time.Time, value []byte) bool {
	ms, size := binary.Varint(value)
	*t = time.UnixMilli(ms)
	return size == len(value) && size > 0
}
