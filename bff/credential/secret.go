// Package credential holds what must never be printed: the API's tokens, and
// whatever else opens something.
//
// A [Secret] prints as "[secret]" under every fmt verb, in JSON, in text and in
// slog. The one way to its bytes is [Secret.Reveal], so that `grep -rn Reveal`
// lists every place in the program that touches one. The package uses the
// standard library only: who audits it has these files to read and no others.
package credential

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

const mask = "[secret]"

// Secret is a string that cannot be printed. Its zero value is the empty secret.
//
// The bytes are behind a pointer: fmt reads unexported fields of an enclosing
// struct by reflection and then calls no method, but it prints a nested pointer
// as an address.
type Secret struct{ value *[]byte }

// NewSecret takes s out of circulation.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	b := []byte(s)
	return Secret{&b}
}

// Reveal returns the secret itself. Each call is a place to audit.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return string(*s.value)
}

// AppendReveal appends the secret itself to dst, without another copy of it.
func (s Secret) AppendReveal(dst []byte) []byte {
	if s.value == nil {
		return dst
	}
	return append(dst, *s.value...)
}

// IsEmpty reports whether there is nothing to keep secret.
func (s Secret) IsEmpty() bool { return s.value == nil }

// Len is the secret's length in bytes.
func (s Secret) Len() int {
	if s.value == nil {
		return 0
	}
	return len(*s.value)
}

// Equal compares in a time that depends on neither content nor length.
func (s Secret) Equal(other Secret) bool {
	a, b := sha256.Sum256(s.AppendReveal(nil)), sha256.Sum256(other.AppendReveal(nil))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// String implements [fmt.Stringer]; it never returns the secret.
func (Secret) String() string { return mask }

// GoString implements [fmt.GoStringer]; it never returns the secret.
func (Secret) GoString() string { return mask }

// Format implements [fmt.Formatter]: every verb prints the mask, %x and %q too.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// MarshalText implements [encoding.TextMarshaler], and so covers JSON, YAML and flags.
func (Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }

// LogValue implements [slog.LogValuer].
func (Secret) LogValue() slog.Value { return slog.StringValue(mask) }
