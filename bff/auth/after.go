package auth

import (
	"context"
	"errors"
	"time"

	"coatcheck/bff/call"
	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/upstream/signin"
)

// verifyInterval is how often, at most, an API is asked whether one session's token
// still lives.
const verifyInterval = time.Second

// AfterAnswer looks at what a proxied answer says of the credential: that it may be
// dead (verify), or that it has changed (follow). It does so only where the mapping
// says that the API speaks so. lines are the values of the answer's fields of a name;
// renewed says that this call has got a new token already. It reports whether there is a
// newer token now, with which the call may be repeated. Errors: [session.EndedError].
func (a *Auth) AfterAnswer(c *call.Call, p *Principal, status int, lines func(name string) []string, renewed bool) (bool, error) {
	if p.Session.Provider != "" {
		return false, nil // the token is the provider's, and the API cannot change it
	}
	api := a.API(c.Frontend())
	if api.Follows() {
		a.follow(c, p, api, lines)
	}
	if api.CanVerify() && api.VerifyAfter(status) {
		return a.verify(c, p, api, renewed)
	}
	return false, nil
}

// verify asks the API before a refusal is believed: one route's 401 may be about that
// route. A token that is dead is renewed, where it can be, or ends the session: also where
// this call or one of the last minute has renewed it, and the new one is dead, too.
func (a *Auth) verify(c *call.Call, p *Principal, api *signin.Upstream, renewed bool) (bool, error) {
	ctx, cancel := call.Detached()
	defer cancel()
	if ok, err := a.manager.Once(ctx, p.Session, "verify", verifyInterval); err != nil || !ok {
		return false, nil //nolint:nilerr // the API's own answer says more than our failure to check it
	}
	span, caller := c.Ask("verify", api.Name())
	alive, err := api.Verify(ctx, p.Session.Credential, caller)
	span.Answered(0, err)
	if err != nil || alive {
		return false, nil //nolint:nilerr // as above
	}
	if !renewed && api.Renews(p.Session.Credential) {
		err := a.renewStale(c, p, "verify")
		switch {
		case err == nil:
			return true, nil
		case isEnded(err):
			return false, err
		case !errors.Is(err, errBraked):
			return false, nil // the API could not renew it now: later
		}
	}
	// What was refused may be an old value: another call may have followed the API to a
	// newer one meanwhile. Then the session lives, and the API's own answer passes.
	if _, err = a.manager.Refused(ctx, p.Session, p.Ticket(c)); err == nil {
		return false, nil
	}
	if errors.Is(err, session.EndedError{Reason: session.Upstream}) {
		a.events.Security(c, "revocation", "refused_by_api")
	}
	return false, err
}

// follow writes a value back that the API renewed on its answer. The manager fences
// it: where somebody else renewed the credential meanwhile, theirs stays.
func (a *Auth) follow(c *call.Call, p *Principal, api *signin.Upstream, lines func(string) []string) {
	old := p.Session.Credential
	fresh, changed := api.Follow(old, lines, a.manager.Now())
	if !changed {
		return
	}
	write := func(ctx context.Context, f session.RefreshFunc) (*session.Session, error) {
		if fresh.Value(credential.AccessToken).Equal(old.Value(credential.AccessToken)) {
			return a.manager.Amend(ctx, p.Session, p.Ticket(c), time.Second, "follow", f)
		}
		return a.manager.Refresh(ctx, p.Session, p.Ticket(c), time.Second, f) // a token that nobody need renew
	}
	news := fresh.Since(old)
	renewed, err := write(context.Background(), func(_ context.Context, now *credential.Credential) (*credential.Credential, error) {
		return now.Renew(news), nil
	})
	if err != nil && !isEnded(err) {
		a.events.Log.Warn("credential not followed", "frontend", c.Frontend().Name, "error", err)
		return
	}
	if err == nil {
		p.take(c, renewed)
	}
}
