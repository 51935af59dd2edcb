package session

import (
	"errors"
	"fmt"
	"time"
)

// Reason says why a session ended, as the browser is told it.
type Reason string

// The reasons. Whatever is not known is Expired.
const (
	SignedOut Reason = "signed_out" // by the person, here
	Revoked   Reason = "revoked"    // from another session of the person, or by an operator
	Upstream  Reason = "upstream"   // the API refused to renew the credential
	Expired   Reason = "expired"    // idle too long, or at the end of its life
)

// reasonOf reads a reason from the store or a message; unknown ones of later
// versions are Expired.
func reasonOf(s string) Reason {
	switch r := Reason(s); r {
	case SignedOut, Revoked, Upstream:
		return r
	}
	return Expired
}

// Dead is the error for a ticket whose session is over or never was. It is
// returned as a value: errors.As(err, &dead) with a `var dead session.Dead`.
type Dead struct{ Reason Reason }

func (d Dead) Error() string { return "session: over: " + string(d.Reason) }

// Throttled is the error for a sign-in that must not be tried now, returned as a
// value. RetryAfter is above zero.
type Throttled struct{ RetryAfter time.Duration }

func (t Throttled) Error() string {
	return fmt.Sprintf("session: too many failed sign-ins, retry in %s", t.RetryAfter)
}

var (
	// ErrUnavailable means that the store cannot be asked now, is full, or holds a
	// record that another replica can read and this one cannot. Nothing is lost: the
	// same ticket works later, or at another replica.
	ErrUnavailable = errors.New("session: store unavailable")

	// ErrNotFound means that this person has no session with that id.
	ErrNotFound = errors.New("session: no such session")

	// ErrTokenEnded means that the API gave a token that is over already and
	// cannot be renewed.
	ErrTokenEnded = errors.New("session: the token has already ended")

	// ErrCredentialDead is what a [RefreshFunc] returns when the API said that
	// the refresh token is dead. The session ends.
	ErrCredentialDead = errors.New("session: credential refused by the API")
)

// unavailable wraps a store's failure, named after what was tried.
func unavailable(what string, err error) error {
	return fmt.Errorf("session: %s: %w: %w", what, ErrUnavailable, err)
}
