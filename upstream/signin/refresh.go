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
	needs  string      // the value without which there is nothing to renew with
	user   *userSource // nil: nobody is described
	named  bool        // refresh.user is the file's own
}

// Refresh renews old, and returns the whole renewed credential: what the response
// lacks keeps its old value.
//
// Only a [mapping.Refusal] with [mapping.SessionExpired] says that the refresh token is dead.
// After [mapping.TooManyAttempts] the same token may be tried later, and after any other
// error as well: a wrong client secret or a throttled API must sign nobody out.
func (u *Upstream) Refresh(ctx context.Context, old *credential.Credential, c mapping.Caller, now time.Time) (*credential.Credential, error) {
	done, err := u.Renew(ctx, old, c, now)
	if err != nil {
		return nil, err
	}
	return done.Credential, nil
}

// Renew is [Upstream.Refresh] with the person, where the response describes them: Same
// says that it does not. A person that cannot be read costs nobody the new token.
func (u *Upstream) Renew(ctx context.Context, old *credential.Credential, c mapping.Caller, now time.Time) (*SignedIn, error) {
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
	u.tellOdd(&u.refresh.Exchange, a)
	if err != nil {
		return nil, u.wrap("refresh", err)
	}
	done := &SignedIn{Credential: old.Renew(fresh), Same: true}
	if src := u.refresh.user; src != nil && (u.refresh.named || src.describes(a, done.Credential)) {
		user, subject, err := src.read(ctx, u.refresh.Places, a, &mapping.Values{Credential: done.Credential, Caller: c})
		if err == nil {
			done.User, done.Subject, done.Same = user, subject, false
		}
	}
	return done, nil
}

// CanDescribe reports whether the API can be asked who a person is.
func (ws *Ways) CanDescribe() bool {
	return ws.login != nil && ws.login.user != nil && ws.login.user.request != nil
}

// Describe asks the API who the person of c is now. It fails as [Ways.SignIn] does, and
// with [ErrTokenDead].
func (ws *Ways) Describe(ctx context.Context, c *credential.Credential, caller mapping.Caller) (*SignedIn, error) {
	if !ws.CanDescribe() {
		return nil, ws.up.wrap("user", mapping.Invalid("the person is not asked for"))
	}
	user, subject, err := ws.login.user.read(ctx, ws.login.Places, nil, &mapping.Values{Credential: c, Caller: caller})
	if err != nil {
		return nil, ws.up.wrap("user", err)
	}
	return &SignedIn{Credential: c, User: user, Subject: subject}, nil
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
