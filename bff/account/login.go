package account

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"

	"coatcheck/bff/auth"
	"coatcheck/bff/call"
	"coatcheck/bff/pending"
	"coatcheck/bff/routing"
	"coatcheck/bff/session"
	"coatcheck/bff/throttle"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

// login takes a person's credentials to the API, and gives the browser a ticket for
// what the API gave. A failed sign-in changes no session; a good one is stored first,
// and then ends the session whose live ticket came with it.
func (a *Account) login(c *call.Call) error {
	if c.Request.IsGet() {
		return atProvider{a}.loginAtProvider(c)
	}
	fields, err := readLogin(c)
	if err != nil {
		return err
	}
	if step, ok := (inSteps{a}).stepOf(c, fields); ok {
		return inSteps{a}.takeStep(c, step, fields)
	}
	w, err := a.wayOf(c, fields)
	if err != nil {
		return err
	}
	if err := undeclared(fields, w.fields); err != nil {
		return err
	}
	ctx, cancel := call.Detached()
	defer cancel()
	account := w.account(fields)
	attempt, err := a.attempt(ctx, c, account)
	if err != nil {
		return err
	}
	defer a.abandon(ctx, c, attempt)
	api := a.auth.API(c.Frontend())
	span, caller := c.Ask("sign_in", api.Name())
	signedIn, err := api.Ways.SignInBy(ctx, w.by, &mapping.Values{Fields: fields, Caller: caller}, a.manager.Now())
	span.Answered(0, err)
	if err != nil {
		a.settle(ctx, c, attempt, err)
		return err
	}
	persistent := persists(c, fields, false)
	switch {
	case signedIn.Accepted:
		return a.accepted(ctx, c, attempt)
	case signedIn.Step != nil:
		return inSteps{a}.hold(ctx, c, attempt, pending.Step{Account: account, Way: w.by.Name, Persistent: persistent}, signedIn.Step)
	}
	return a.startSession(ctx, c, attempt, signedIn, persistent)
}

// accepted answers a sign-up that the API took, and for which it lets nobody in yet. It
// is neither a success, which would clear the account's count, nor a failure.
func (a *Account) accepted(ctx context.Context, c *call.Call, attempt *throttle.Attempt) error {
	a.unsettled(ctx, c, attempt.GiveBack(ctx))
	a.events.Security(c, "sign_in", mapping.Accepted)
	return c.JSON(200, anonymous{})
}

// startSession begins the session of a person whom the API let in.
func (a *Account) startSession(ctx context.Context, c *call.Call, attempt *throttle.Attempt, in *signin.SignedIn, persistent bool) error {
	replaced := a.auth.Present(c)
	start := a.sessionOf(c, in)
	start.Persistent = persistent
	ticket, started, err := a.manager.Start(ctx, start)
	if err != nil {
		a.settle(ctx, c, attempt, err)
		a.tellAPI(c, in.Credential)
		return err
	}
	a.settle(ctx, c, attempt, nil)
	if replaced.HasTicket {
		a.endReplaced(ctx, c, replaced.Ticket(c))
	}
	c.Record.Session = started.LogID
	setSessionCookie(c, ticket, started)
	if (inSteps{a}).dropStep(ctx, c) {
		clearStepCookie(c)
	}
	a.events.Security(c, "sign_in", "signed_in")
	return c.JSON(200, a.document(c.Frontend().Config, started))
}

// attempt counts the sign-in before the API is asked.
func (a *Account) attempt(ctx context.Context, c *call.Call, account string) (*throttle.Attempt, error) {
	f := c.Frontend()
	t := f.Config.Throttle
	limits := throttle.Limits{Account: t.Account, Address: t.Address, Window: t.Window, Shared: f.Config.SharedThrottle}
	attempt, err := a.throttle.AttemptInTurn(ctx, f.Name, account, c.Request.Client, limits)
	var throttled throttle.ThrottledError
	if errors.As(err, &throttled) {
		a.events.Security(c, kindOf(c), "throttled")
	}
	return attempt, err
}

// kindOf is what events call what is attempted.
func kindOf(c *call.Call) string {
	if c.Decision.Endpoint.ID == routing.Exchange {
		return "exchange"
	}
	return "sign_in"
}

// settle closes the books on an attempt: a success clears the account's count, a
// person's fault stays counted, and ours or the API's is given back.
func (a *Account) settle(ctx context.Context, c *call.Call, attempt *throttle.Attempt, err error) {
	var refusal *mapping.Refusal
	switch {
	case err == nil:
		err = attempt.Succeeded(ctx)
	case errors.As(err, &refusal) && personsFault(refusal.Meaning):
		err = attempt.Stay(ctx) // first: where a fault comes between, a guess stays one
		a.events.Security(c, kindOf(c), refusal.Meaning)
	default:
		err = attempt.GiveBack(ctx)
	}
	a.unsettled(ctx, c, err)
}

// abandon is deferred: what a fault of ours left unsettled stays counted.
func (a *Account) abandon(ctx context.Context, c *call.Call, attempt *throttle.Attempt) {
	a.unsettled(ctx, c, attempt.Abandon(ctx))
}

// unsettled logs that the count of an attempt could not be corrected; nil: it was. The
// person's answer does not depend on it.
func (a *Account) unsettled(ctx context.Context, c *call.Call, err error) {
	if err != nil {
		a.events.Log.WarnContext(ctx, "throttle count not settled", "frontend", c.Frontend().Name, "error", err)
	}
}

// personsFault reports whether an answer counts as a failed guess. An API that is
// throttled or misconfigured is nobody's guess. invalid_fields is one: many an API
// says so of a wrong password or code.
func personsFault(meaning string) bool {
	switch meaning {
	case "upstream_invalid", "too_many_attempts", "session_expired":
		return false
	}
	return true
}

// subjectOf identifies the person permanently. Whom the API does not name is nobody else: a
// random name of their own, or all such people would share one list of sessions.
func subjectOf(in *signin.SignedIn) string {
	if in.Subject != "" {
		return in.Subject
	}
	return auth.Unnamed + rand.Text()
}

func (a *Account) sessionOf(c *call.Call, in *signin.SignedIn) session.Start {
	agent, _ := c.Request.Head.Get("user-agent")
	user, _ := json.Marshal(in.User) // a map of JSON texts: cannot fail
	return session.Start{Frontend: c.Frontend().Name, Subject: subjectOf(in), User: user, Credential: in.Credential,
		RefreshAble: a.auth.API(c.Frontend()).Renews(in.Credential),
		UserAgent:   string(agent), Address: c.Request.Client.String()}
}

// endReplaced ends the session that the new one takes the place of.
func (a *Account) endReplaced(ctx context.Context, c *call.Call, ticket session.Ticket) {
	ended, err := a.manager.End(ctx, c.Frontend().Name, ticket, session.SignedOut)
	if err != nil {
		a.events.Log.WarnContext(ctx, "replaced session not ended", "frontend", c.Frontend().Name, "error", err)
		return
	}
	if ended != nil {
		a.tell(c, a.auth.Method(c.Frontend(), ended), ended.Credential)
	}
}
