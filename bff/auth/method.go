package auth

import (
	"context"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/routing"
	"coatcheck/bff/session"
	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
)

// Method is how a session's credential is renewed and ended: by an API's mapping
// ([upstream.Upstream]), or by the provider that signed the person in ([oidc.Provider]).
type Method interface {
	// Name is the method's name in the configuration.
	Name() string
	// Renews reports whether this credential can be renewed.
	Renews(c *credential.Credential) bool
	// RefreshBefore is how much of a token's life is left when it is renewed, and
	// RefreshTimeout bounds a whole renewal.
	RefreshBefore() time.Duration
	RefreshTimeout() time.Duration
	// Refresh renews old and returns the whole new credential. An [mapping.Refusal] that
	// means session_expired says that the refresh token is dead.
	Refresh(ctx context.Context, old *credential.Credential, caller mapping.Caller, now time.Time) (*credential.Credential, error)
	// SignOut says that nobody will use this credential again, best effort.
	SignOut(ctx context.Context, c *credential.Credential, caller mapping.Caller) error
}

// Method is how a session of a frontend is renewed and ended. A session of a provider
// that the configuration does not name any more is neither: its token is used while it
// lasts.
func (a *Auth) Method(f *routing.Frontend, s *session.Session) Method {
	if s.Provider == "" {
		return a.API(f)
	}
	if p := a.providers[s.Provider]; p != nil {
		return p
	}
	return forgotten{}
}

// forgotten is a provider that was taken out of the configuration.
type forgotten struct{}

func (forgotten) Name() string                       { return "" }
func (forgotten) Renews(*credential.Credential) bool { return false }
func (forgotten) RefreshBefore() time.Duration       { return 0 }
func (forgotten) RefreshTimeout() time.Duration      { return 0 }
func (forgotten) Refresh(context.Context, *credential.Credential, mapping.Caller, time.Time) (*credential.Credential, error) {
	return nil, upstream.ErrUnreachable
}
func (forgotten) SignOut(context.Context, *credential.Credential, mapping.Caller) error { return nil }
