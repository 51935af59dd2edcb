package session

import "errors"

// Reason says why a session ended, as the browser learns it.
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

// EndedError is the error for a ticket whose session is over or never was. It is
// returned as a value: errors.As(err, &ended) with a `var ended session.EndedError`.
type EndedError struct{ Reason Reason }

func (e EndedError) Error() string { return "session: over: " + string(e.Reason) }

var (
	// ErrNotFound means that this person has no session with that id.
	ErrNotFound = errors.New("session: no such session")

	// ErrTokenEnded means that the API gave a token that is over already and
	// cannot be renewed.
	ErrTokenEnded = errors.New("session: the token has already ended")

	// ErrCredentialDead is what a [RefreshFunc] returns when the API said that
	// the refresh token is dead. The session ends.
	ErrCredentialDead = errors.New("session: credential refused by the API")
)
