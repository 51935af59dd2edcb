// Package record is what is sealed under a ticket: who, and what the API gave. It writes
// and opens such records, and never panics on what it reads.
package record

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
	fieldProvider       = 9
	fieldPersistent     = 10
	fieldRenewals       = 11
)

// Record is what is sealed: who, and what the API gave.
type Record struct {
	// ID is the public handle. Subject is the person's name at the API.
	ID, Subject string

	// Provider that signed the person in; empty: an API's mapping did.
	Provider string

	// User is a JSON object.
	User []byte

	// Persistent says that the cookie of the ticket outlives the browser.
	Persistent bool

	// Renewals is how often the credential was renewed. Other changes of it do not count.
	Renewals uint64

	// Created and Ends are times of the store's clock, in whole milliseconds; Ends is the
	// latest end that the session can have.
	Created, Ends time.Time

	// Credential is what the API gave: the one secret of the record.
	Credential *credential.Credential
}

// Bound is when the session ends whatever it does: at Ends, or with the API's refresh token
// if that ends sooner. A renewal may move the second. A provider's refresh token ends no
// session: who signed in there may need no token at all.
func (r *Record) Bound() time.Time {
	if c := r.Credential; r.Provider == "" && c != nil && !c.RefreshExpires.IsZero() && c.RefreshExpires.Before(r.Ends) {
		return c.RefreshExpires.Truncate(time.Millisecond)
	}
	return r.Ends
}

// Encode writes r; [Decode] reads it.
func (r *Record) Encode() []byte {
	b := make([]byte, 0, 256)
	b = AppendField(b, fieldID, r.ID)
	b = AppendField(b, fieldSubject, r.Subject)
	b = AppendField(b, fieldUser, r.User)
	b = AppendTime(b, fieldCreated, r.Created)
	b = AppendTime(b, fieldEnds, r.Ends)
	b = AppendField(b, fieldProvider, r.Provider)
	if r.Persistent {
		b = AppendField(b, fieldPersistent, "1")
	}
	if r.Renewals > 0 {
		b = AppendField(b, fieldRenewals, binary.AppendUvarint(nil, r.Renewals))
	}
	if r.Credential == nil {
		return b
	}
	b = AppendTime(b, fieldExpires, r.Credential.Expires)
	b = AppendTime(b, fieldRefreshExpires, r.Credential.RefreshExpires)
	for name, value := range r.Credential.Values() {
		b = AppendField(b, fieldValue, pack.AppendValue(pack.AppendBytes(nil, name), value.AppendReveal(nil)))
	}
	return b
}

// AppendField writes a field of a list; an empty one is left out.
func AppendField[T []byte | string](b []byte, number uint64, value T) []byte {
	if len(value) == 0 {
		return b
	}
	return pack.AppendBytes(binary.AppendUvarint(b, number), value)
}

// AppendTime writes milliseconds since 1970; the zero time is left out.
func AppendTime(b []byte, number uint64, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	return AppendField(b, number, binary.AppendVarint(nil, t.UnixMilli()))
}

// reader gathers the fields while they are read.
type reader struct {
	Record
	expires, refreshExpires time.Time
	values                  map[string]credential.Secret
}

// Decode reads what [Record.Encode] wrote. Else the error is [keyring.ErrCorrupt].
func Decode(b []byte) (*Record, error) {
	r := reader{values: map[string]credential.Secret{}}
	if err := EachField(b, r.field); err != nil {
		return nil, err
	}
	if r.ID == "" || r.Ends.IsZero() {
		return nil, keyring.ErrCorrupt
	}
	r.Credential = credential.New(r.values, r.expires, r.refreshExpires)
	return &r.Record, nil
}

// EachField hands over the fields of b until one is refused. The error is then
// [keyring.ErrCorrupt].
func EachField(b []byte, take func(number uint64, value []byte) bool) error {
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

func (r *reader) field(number uint64, value []byte) bool {
	switch number {
	case fieldID:
		r.ID = string(value)
	case fieldSubject:
		r.Subject = string(value)
	case fieldUser:
		r.User = append([]byte(nil), value...)
	case fieldCreated:
		return ReadTime(&r.Created, value)
	case fieldEnds:
		return ReadTime(&r.Ends, value)
	case fieldProvider:
		r.Provider = string(value)
	case fieldPersistent:
		r.Persistent = true
	case fieldRenewals:
		n, size := binary.Uvarint(value)
		r.Renewals = n
		return size == len(value)
	case fieldExpires:
		return ReadTime(&r.expires, value)
	case fieldRefreshExpires:
		return ReadTime(&r.refreshExpires, value)
	case fieldValue:
		return r.secret(value)
	}
	return true
}

func (r *reader) secret(b []byte) bool {
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

// ReadTime reads what [AppendTime] wrote.
func ReadTime(t *time.Time, value []byte) bool {
	ms, size := binary.Varint(value)
	*t = time.UnixMilli(ms)
	return size == len(value) && size > 0
}
