package credential

import (
	"maps"
	"time"
)

// Names of the values of a credential that every part of the program knows. All others
// are names of the configuration's own.
const (
	AccessToken  = "access_token"
	RefreshToken = "refresh_token"
	// BoundKey is the private key that the tokens are bound to (RFC 9449). A token that
	// is bound is of use only with a proof made by it, and never sent as a bearer token.
	BoundKey = "dpop_key"
)

// Credential is what an API gave for a user name and a password. It is
// immutable once made: a refresh makes a new one with [Credential.Renew].
type Credential struct {
	values map[string]Secret

	// Expires is when the access token ends, RefreshExpires when the refresh
	// token does; zero where the API does not tell.
	Expires, RefreshExpires time.Time
}

// New makes a credential of values. It keeps a copy of the map.
func New(values map[string]Secret, expires, refreshExpires time.Time) *Credential {
	return &Credential{values: maps.Clone(values), Expires: expires, RefreshExpires: refreshExpires}
}

// Value returns the value called name; empty where the API gave none.
func (c *Credential) Value(name string) Secret {
	if c == nil {
		return Secret{}
	}
	return c.values[name]
}

// Values returns a copy of everything in the credential, for sealing it.
func (c *Credential) Values() map[string]Secret { return maps.Clone(c.values) }

// IsBound reports whether the tokens are bound to a key, [BoundKey].
func (c *Credential) IsBound() bool { return !c.Value(BoundKey).IsEmpty() }

// CanRefresh reports whether there is a refresh token.
func (c *Credential) CanRefresh() bool { return !c.Value(RefreshToken).IsEmpty() }

// Since is what c says otherwise than old, for [Credential.Renew] of another credential.
func (c *Credential) Since(old *Credential) *Credential {
	news := &Credential{values: map[string]Secret{}, Expires: c.Expires, RefreshExpires: c.RefreshExpires}
	for name, value := range c.values {
		if !value.Equal(old.Value(name)) || name == AccessToken && !c.Expires.Equal(old.Expires) {
			news.values[name] = value
		}
	}
	return news
}

// Renew returns a credential with fresh's values over c's: what an answer lacks
// keeps its old value (RFC 6749 §6: a refresh answer may leave out the refresh
// token). The ends are replaced only where fresh knows one, but a token that came
// anew without an end has none.
func (c *Credential) Renew(fresh *Credential) *Credential {
	next := &Credential{values: maps.Clone(c.values), Expires: c.Expires, RefreshExpires: c.RefreshExpires}
	for name, value := range fresh.values {
		if !value.IsEmpty() {
			next.values[name] = value
		}
	}
	if !fresh.Value(AccessToken).IsEmpty() {
		next.Expires = fresh.Expires
	}
	refresh := fresh.Value(RefreshToken)
	if !fresh.RefreshExpires.IsZero() || !refresh.IsEmpty() && !refresh.Equal(c.Value(RefreshToken)) {
		next.RefreshExpires = fresh.RefreshExpires
	}
	return next
}
