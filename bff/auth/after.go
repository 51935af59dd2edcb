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
// says that the API speaks so. lines are the values of the answer's fields of a name.
// Errors: [session.EndedError].
func (a *Auth) AfterAnswer(c *call.Call, p *Principal, status int, lines func(name string) []string) error {
	api := a.API(c.Frontend())
	if api.Follows() {
		a.follow(c, p, api, lines)
	}
	if api.CanVerify() && api.VerifyAfter(status) {
		return a.verify(c, p, api)
	}
	return nil
}

// verify asks the API before a refusal is believed: one route's 401 may be about that
// route. A token that is dead ends the session.
func (a *Auth) verify(c *call.Call, p *Principal, api *signin.Upstream) error {
	ctx, cancel := call.Detached()
	defer cancel()
	if ok, err := a.manager.Once(ctx, p.Session, "verify", verifyInterval); err != nil || !ok {
		return nil //nolint:nilerr // the API's own answer says more than our failure to check it
	}
	span, caller := c.Ask("verify", api.Name())
	alive, err := api.Verify(ctx, p.Session.Credential, caller)
	span.Answered(0, err)
	if err != nil || alive {
		return nil //nolint:nilerr // as above
	}
	// What was refused may be an old value: another call may have followed the API to a
	// newer one meanwhile. Then the session lives, and the API's own answer passes.
	if _, err = a.manager.Refused(ctx, p.Session, p.Ticket); err == nil {
		return nil
	}
	if errors.Is(err, session.EndedError{Reason: session.Upstream}) {
		a.events.Security(c, "revocation", "refused_by_api")
	}
	return err
}

// follow writes a value back that the API renewed on its answer. The manager fences
// it: where somebody else renewed the credential meanwhile, theirs stays.
func (a *Auth) follow(c *call.Call, p *Principal, api *signin.Upstream, lines func(string) []string) {
	fresh, changed := api.Follow(p.Session.Credential, lines, a.manager.Now())
	if !changed {
		return
	}
	renewed, err := a.manager.Refresh(context.Background(), p.Session, p.Ticket, time.Second,
		func(context.Context, *credential.Credential) (*credential.Credential, error) { return fresh, nil })
	if err != nil && !isEnded(err) {
		a.events.Log.Warn("credential not followed", "frontend", c.Frontend().Name, "error", err)
		return
	}
	if err == nil {
		p.take(c, renewed)
	}
}
