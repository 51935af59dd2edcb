package session

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
)

// TicketLen is the length of a ticket in the cookie, in bytes.
const TicketLen = 43

const (
	ticketMask = "[ticket]"
	keyDomain  = "coatcheck/v1/key"
)

// ticketForm refuses the trailing bits that other encodings of the same 32
// bytes would carry: a ticket has one spelling only.
var ticketForm = base64.RawURLEncoding.Strict()

// Ticket is the random secret in the cookie: 256 bits, written in 43 characters
// of base64url (RFC 4648 §5). It prints as "[ticket]". The bytes lie behind a
// pointer because fmt reads unexported fields of whatever encloses them.
type Ticket struct{ text *[TicketLen]byte }

// hash names a session without opening it. It is derived from the ticket, so it
// stays out of logs as the ticket does.
type hash [sha256.Size]byte

func newTicket() Ticket {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand ends the process instead
	text := new([TicketLen]byte)
	ticketForm.Encode(text[:], raw[:])
	return Ticket{text}
}

// ParseTicket reads a ticket from a cookie's value. It judges the form only:
// exactly 43 of [A-Za-z0-9_-] that decode to 32 bytes in the one canonical way.
func ParseTicket(b []byte) (Ticket, bool) {
	if len(b) != TicketLen {
		return Ticket{}, false
	}
	var raw [33]byte
	if n, err := ticketForm.Decode(raw[:], b); err != nil || n != 32 {
		return Ticket{}, false
	}
	text := new([TicketLen]byte)
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

// bytes is the ticket for the keyring, which only reads it.
func (t Ticket) bytes() []byte {
	if t.text == nil {
		return nil
	}
	return t.text[:]
}

// hash is SHA-256("coatcheck/v1/key" ‖ ticket).
func (t Ticket) hash() hash {
	var b [len(keyDomain) + TicketLen]byte
	n := copy(b[:], keyDomain)
	if t.text != nil {
		n += copy(b[n:], t.text[:])
	}
	return sha256.Sum256(b[:n])
}

func (h hash) hex() string { return hex.EncodeToString(h[:]) }

func parseHash(s string) (h hash, ok bool) {
	if len(s) != hex.EncodedLen(len(h)) {
		return h, false
	}
	_, err := hex.Decode(h[:], []byte(s))
	return h, err == nil
}

// String implements [fmt.Stringer]; it never returns the ticket.
func (Ticket) String() string { return ticketMask }

// GoString implements [fmt.GoStringer]; it never returns the ticket.
func (Ticket) GoString() string { return ticketMask }

// Format implements [fmt.Formatter]: every verb prints the mask.
func (Ticket) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, ticketMask) }

// MarshalText implements [encoding.TextMarshaler], and so covers JSON.
func (Ticket) MarshalText() ([]byte, error) { return []byte(ticketMask), nil }

// LogValue implements [slog.LogValuer].
func (Ticket) LogValue() slog.Value { return slog.StringValue(ticketMask) }
