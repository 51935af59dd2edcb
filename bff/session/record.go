package session

import (
	"encoding/binary"
	"time"

	"coatcheck/bff/credential"
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
)

// record is what is sealed.
type record struct {
	id, subject   string
	provider      string // that signed the person in; empty: an API's mapping did
	user          []byte
	created, ends time.Time
	credential    *credential.Credential
}

func (r *record) encode() []byte {
	b := make([]byte, 0, 256)
	b = appendField(b, fieldID, r.id)
	b = appendField(b, fieldSubject, r.subject)
	b = appendField(b, fieldUser, r.user)
	b = appendTime(b, fieldCreated, r.created)
	b = appendTime(b, fieldEnds, r.ends)
	b = appendField(b, fieldProvider, r.provider)
	if r.credential == nil {
		return b
	}
	b = appendTime(b, fieldExpires, r.credential.Expires)
	b = appendTime(b, fieldRefreshExpires, r.credential.RefreshExpires)
	for name, value := range r.credential.Values() {
		b = appendField(b, fieldValue, appendPacked(appendBytes(nil, name), value.AppendReveal(nil)))
	}
	return b
}

func appendField[T []byte | string](b []byte, number uint64, value T) []byte {
	if len(value) == 0 {
		return b
	}
	return appendBytes(binary.AppendUvarint(b, number), value)
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
	record
	expires, refreshExpires time.Time
	values                  map[string]credential.Secret
}

// decodeRecord reads what encode wrote. It never panics.
func decodeRecord(b []byte) (*record, error) {
	r := recordReader{values: map[string]credential.Secret{}}
	if err := eachField(b, r.field); err != nil {
		return nil, err
	}
	if r.id == "" || r.ends.IsZero() {
		return nil, errCorrupt
	}
	r.credential = credential.New(r.values, r.expires, r.refreshExpires)
	return &r.record, nil
}

// eachField hands over the fields of b until one is refused.
func eachField(b []byte, take func(number uint64, value []byte) bool) error {
	for len(b) > 0 {
		number, size := binary.Uvarint(b)
		if size <= 0 {
			return errCorrupt
		}
		value, rest, ok := cutBytes(b[size:])
		if !ok || !take(number, value) {
			return errCorrupt
		}
		b = rest
	}
	return nil
}

func (r *recordReader) field(number uint64, value []byte) bool {
	switch number {
	case fieldID:
		r.id = string(value)
	case fieldSubject:
		r.subject = string(value)
	case fieldUser:
		r.user = append([]byte(nil), value...)
	case fieldCreated:
		return readTime(&r.created, value)
	case fieldEnds:
		return readTime(&r.ends, value)
	case fieldProvider:
		r.provider = string(value)
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
	name, packed, ok := cutBytes(b)
	if !ok {
		return false
	}
	value, ok := unpacked(packed)
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
