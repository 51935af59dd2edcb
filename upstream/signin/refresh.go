package signin

import (
	"context"
	"errors"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/upstream/mapping"
)

// refresh is how a token is renewed.
type refresh struct {
	Exchange
	before time.Duration
	needs  string // the value without which there is nothing to renew with
}

// Refresh renews old, and returns the whole renewed credential: what the response
// lacks keeps its old value.
//
// Only a [mapping.Refusal] with [mapping.SessionExpired] says that the refresh token is dead.
// After [mapping.TooManyAttempts] the same token may be tried later, and after any other
// error as well: a wrong client secret or a throttled API must sign nobody out.
func (u *Upstream) Refresh(ctx context.Context, old *credential.Credential, c mapping.Caller, now time.Time) (*credential.Credential, error) {
	if !u.Renews(old) {
		return nil, u.wrap("refresh", mapping.Invalid("there is nothing to refresh with"))
	}
	a, next, err := u.refresh.try(ctx, &mapping.Values{Credential: old, Caller: c})
	if err == nil && next != "" {
		err = mapping.Invalid("a refresh runs no steps")
	}
	if err != nil {
		return nil, u.wrap("refresh", onlyDeadOrLater(err))
	}
	fresh, err := u.refresh.Places.Extract(a, now)
	traceOf(ctx).extracted(&u.refresh.Exchange, a, fresh, err)
	if err != nil {
		return nil, u.wrap("refresh", err)
	}
	return old.Renew(fresh), nil
}

// onlyDeadOrLater turns refusals that do not speak of the refresh token into
// upstream.ErrInvalid.
func onlyDeadOrLater(err error) error {
	var refusal *mapping.Refusal
	if errors.As(err, &refusal) && refusal.Meaning != mapping.SessionExpired && refusal.Meaning != mapping.TooManyAttempts {
		return mapping.Invalid("refused as %s, which is not about the refresh token", refusal.Meaning)
	}
	return err
}

// SignOut tells the API that the person left. It is best effort: whatever the API
// answers is fine, a redirect too; an error says that it was not reached.
func (u *Upstream) SignOut(ctx context.Context, old *credential.Credential, c mapping.Caller) error {
	if u.logout == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, u.logout.timeout)
	defer cancel()
	_, err := u.logout.request.roundTrip(ctx, &mapping.Values{Credential: old, Caller: c})
	return u.wrap("logout", err)
}

// verify is how the API is asked whether a token still lives.
type verify struct {
	Exchange
	after []int
}

// Verify asks the API whether old still lives. Only a clear no is false without an
// error; with one, nothing is known.
func (u *Upstream) Verify(ctx context.Context, old *credential.Credential, c mapping.Caller) (alive bool, err error) {
	if u.verify == nil {
		return false, u.wrap("verify", mapping.Invalid("the mapping has no verify"))
	}
	_, _, err = u.verify.try(ctx, &mapping.Values{Credential: old, Caller: c})
	var refusal *mapping.Refusal
	if errors.As(err, &refusal) && refusal.Meaning == mapping.SessionExpired {
		return false, nil
	}
	return err == nil, u.wrap("verify", err)
}
