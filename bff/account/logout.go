package account

import (
	"context"
	"time"

	"coatcheck/bff/auth"
	"coatcheck/bff/call"
	"coatcheck/bff/credential"
	"coatcheck/bff/routing"
	"coatcheck/bff/session"
	"coatcheck/upstream/mapping"
)

// logout ends the session, then tells the API. The cookie is expired only once the
// session is gone from the store, so that a page can say when it is not.
func (a *Account) logout(c *call.Call) error {
	who := a.auth.Present(c)
	ctx, cancel := call.Detached()
	defer cancel()
	next := ""
	if who.HasTicket {
		ended, err := a.manager.End(ctx, c.Frontend().Name, who.Ticket(c), session.SignedOut)
		if err != nil {
			return err
		}
		if ended != nil {
			c.Record.Session = ended.LogID
			a.events.Security(c, "sign_out", "signed_out")
			next = atProvider{a}.continueLogout(ctx, c, ended)
			a.tell(c, a.auth.Method(c.Frontend(), ended), ended.Credential)
		}
	}
	clearSessionCookie(c)
	if (inSteps{a}).dropStep(ctx, c) {
		clearStepCookie(c)
	}
	if next != "" {
		return c.JSON(200, map[string]string{"continue": next})
	}
	c.Own()
	c.Reply.Empty(204)
	return nil
}

// SignOut tells the API or the provider that gave it, best effort, that nobody will use
// this credential any more. There is no call: the session ended by itself.
func (a *Account) SignOut(ctx context.Context, f *routing.Frontend, ended *session.Session, gone *credential.Credential) {
	caller := mapping.Caller{UserAgent: "Coatcheck", ForwardedProto: f.Scheme, ForwardedHost: f.Hosts[0]}
	if err := a.auth.Method(f, ended).SignOut(ctx, gone, caller); err != nil {
		a.events.Log.WarnContext(ctx, "API not notified of the sign-out", "frontend", f.Name, "error", err)
	}
}

// patience is how long an answer waits for the API to hear of a sign-out. The work
// goes on behind it.
const patience = time.Second

// tellAPI tells the API that signed a person in, best effort, that nobody will use this
// credential again.
func (a *Account) tellAPI(c *call.Call, gone *credential.Credential) {
	if api := a.auth.API(c.Frontend()); api.CanSignOut() {
		a.tell(c, api, gone)
	}
}

// tell says, best effort, that nobody will use this credential again.
func (a *Account) tell(c *call.Call, method auth.Method, gone *credential.Credential) {
	frontend := c.Frontend().Name
	span, caller := c.Ask("sign_out", method.Name())
	done, id := make(chan struct{}), string(c.ID)
	a.background.Begin()
	go func() { // ends with the API's answer or logout.timeout; Shutdown waits for it
		defer a.background.End()
		defer close(done)
		defer a.events.Contain(id)
		ctx, cancel := call.Detached()
		defer cancel()
		err := method.SignOut(ctx, gone, caller)
		span.Answered(0, err)
		if err != nil {
			a.events.Log.WarnContext(ctx, "API not notified of the sign-out", "frontend", frontend, "error", err)
		}
	}()
	select {
	case <-done:
	case <-time.After(patience):
	}
}
