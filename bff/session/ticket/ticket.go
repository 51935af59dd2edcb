// Package ticket is the secret in a session's cookie, which opens nothing by itself, and
// the hash that names a session without opening it.
package ticket

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
)

// Len is the length of a ticket in the cookie, in bytes.
const Len = 43

const (
	mask      = "[ticket]"
	keyDomain = "coatcheck/v1/key"
)

// form refuses the trailing bits that other encodings of the same 32
// bytes would carry: a ticket has one spelling only.
var form = base64.RawURLEncoding.Strict()

// Ticket is the random secret in the cookie: 256 bits, written in 43 characters
// of base64url (RFC 4648 §5). It prints as "[ticket]". The bytes are behind a
// pointer because fmt reads unexported fields of whatever encloses them.
type Ticket struct{ text *[Len]byte }

// Hash names a session without opening it. It is derived from the ticket, so it
// stays out of logs as the ticket does.
type Hash [sha256.Size]byte

// New makes a ticket.
func New() Ticket {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand ends the process instead
	text := new([Len]byte)
	form.Encode(text[:], raw[:])
	return Ticket{text}
}

// Parse reads a ticket from a cookie's value. It judges the form only:
// exactly 43 of [A-Za-z0-9_-] that decode to 32 bytes in the one canonical way.
func Parse(b []byte) (Ticket, bool) {
	if len(b) != Len {
		return Ticket{}, false
	}
	var raw [33]byte
	if n, err := form.Decode(raw[:], b); err != nil || n != 32 {
		return Ticket{}, false
	}
	text := new([Len]byte)
	copy(text[:], b)
	return Ticket{text}, true
}

// IsZero reports whether there is no ticket.
func (t Ticket) IsZero() bool { return t.text == nil }

// Reveal returns the ticket itself, for the cookie.
func (t Ticket) Reveal() string {
	if t.text == nil {
		return ""
	}
	return string(t.text[:])
}

// RevealBytes is the ticket itself, for the keyring. It must only be read.
func (t Ticket) RevealBytes() []byte {
	if t.text == nil {
		return nil
	}
	return t.text[:]
}

// Hash is SHA-256("coatcheck/v1/key" ‖ ticket).
func (t Ticket) Hash() Hash {
	var b [len(keyDomain) + Len]byte
	n := copy(b[:], keyDomain)
	if t.text != nil {
		n += copy(b[n:], t.text[:])
	}
	return sha256.Sum256(b[:n])
}

// Handle names the session of a ticket in the store. It opens nothing.
func (t Ticket) Handle() string { return t.Hash().Hex() }

// Hex is the hash in 64 hexadecimal digits.
func (h Hash) Hex() string { return hex.EncodeToString(h[:]) }

// ParseHash reads what [Hash.Hex] wrote.
func ParseHash(s string) (h Hash, ok bool) {
	if len(s) != hex.EncodedLen(len(h)) {
		return h, false
	}
	_, err := hex.Decode(h[:], []byte(s))
	return h, err == nil
}

// String implements [fmt.Stringer]; it never returns the ticket.
func (Ticket) String() string { return mask }

// GoString implements [fmt.GoStringer]; it never returns the ticket.
func (Ticket) GoString() string { return mask }

// Format implements [fmt.Formatter]: every verb prints the mask.
func (Ticket) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// MarshalText implements [encoding.TextMarshaler], and so covers JSON.
func (Ticket) MarshalText() ([]byte, error) { return []byte(mask), nil }

// LogValue implements [slog.LogValuer].
func (Ticket) LogValue() slog.Value { return slog.StringValue(mask) }
