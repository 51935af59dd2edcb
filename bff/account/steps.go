package account

import (
	"context"
	"errors"
	"slices"

	"coatcheck/bff/auth"
	"coatcheck/bff/call"
	"coatcheck/bff/credential"
	"coatcheck/bff/pending"
	"coatcheck/bff/problem"
	"coatcheck/bff/session"
	"coatcheck/bff/throttle"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

// stepOf finds out whether a sign-in body answers a pending step: it names one, and
// the frontend has no sign-in field of that name.
func (a inSteps) stepOf(c *call.Call, fields map[string]credential.Secret) (string, bool) {
	step, ok := fields["step"]
	if !ok || !a.auth.API(c.Frontend()).Ways.HasSteps() || slices.Contains(c.Frontend().Config.Login.FieldNames(), "step") {
		return "", false
	}
	delete(fields, "step")
	return step.Reveal(), true
}

// hold keeps a sign-in that the API wants more for. It is no success yet: the attempt
// stays counted until the last step is done, and is then given back with it.
// of says what it belongs to, and where codes for this very step were counted before.
func (a inSteps) hold(ctx context.Context, c *call.Call, attempt *throttle.Attempt, of pending.Step, p *signin.Pending) error {
	of.Frontend, of.Counted = c.Frontend().Name, attempt.Counts()
	of.Name, of.Fields, of.Kept = p.Name, p.Fields, p.Kept
	ticket, err := a.steps.Hold(ctx, of)
	if err != nil {
		a.settle(ctx, c, attempt, err)
		return err
	}
	a.unsettled(ctx, c, attempt.Stay(ctx))
	a.events.Security(c, "sign_in", "step")
	a.dropStep(ctx, c)
	setStepCookie(c, ticket)
	return c.JSON(200, anonymous{Step: p.Name, Fields: fieldNames(p.Fields)})
}

// fieldNames are the fields as a page sees them; "name?" is optional there too.
func fieldNames(fields []string) []string { return append([]string{}, fields...) }

// takeStep answers a pending step with what the person gave.
func (a inSteps) takeStep(c *call.Call, step string, fields map[string]credential.Secret) error {
	ctx, cancel := call.Detached()
	defer cancel()
	ticket, ok := auth.StepTicket(c.Request.Head, c.Frontend())
	if !ok {
		return problem.NotAuthenticated
	}
	p, err := a.steps.Find(ctx, c.Frontend().Name, ticket)
	if err != nil {
		return err
	}
	if p.Name != step {
		return badRequest("another step is pending: " + p.Name)
	}
	if err := undeclared(fields, p.Fields); err != nil {
		return err
	}
	attempt, err := a.attempt(ctx, c, p.Account)
	if err != nil {
		return err
	}
	defer a.abandon(ctx, c, attempt)
	attempt.Follow(p.Counted)
	try, err := a.steps.Try(ctx, p)
	if err != nil {
		a.settle(ctx, c, attempt, err)
		return err
	}
	api := a.auth.API(c.Frontend())
	span, caller := c.Ask("step", api.Name())
	by := signin.Way{Name: p.Way}
	signedIn, err := api.Ways.ContinueBy(ctx, by, p.Name, &mapping.Values{Kept: p.Kept, Fields: fields, Caller: caller}, a.manager.Now())
	span.Answered(0, err)
	if err != nil {
		a.settle(ctx, c, attempt, err)
		a.stepRefused(ctx, ticket, try, err)
		return err
	}
	p.Persistent = persists(c, fields, p.Persistent)
	return a.stepTaken(ctx, c, attempt, ticket, p, signedIn)
}

// stepTaken goes on behind a step that the API accepted. Of two that take the same
// step at once, one gets through.
func (a inSteps) stepTaken(ctx context.Context, c *call.Call, attempt *throttle.Attempt, t session.Ticket, p *pending.Step, in *signin.SignedIn) error {
	first, err := a.steps.Drop(ctx, t)
	if err == nil && !first {
		err = session.EndedError{Reason: session.Expired}
	}
	if err != nil {
		a.settle(ctx, c, attempt, err)
		if in.Credential != nil {
			a.tellAPI(c, in.Credential)
		}
		return err
	}
	switch {
	case in.Accepted:
		clearStepCookie(c)
		return a.accepted(ctx, c, attempt)
	case in.Step == nil:
		return a.startSession(ctx, c, attempt, in, p.Persistent)
	}
	next := pending.Step{Account: p.Account, Way: p.Way, Persistent: p.Persistent}
	if in.Step.Name == p.Name { // the API wants the same again: that is no new allowance
		next.Tries = p.Tries
	}
	return a.hold(ctx, c, attempt, next, in.Step)
}

// stepRefused ends a pending sign-in that the API will not go on with. A wrong code
// (mfa_required) leaves it, until its tries are spent; a failure of ours or the API's
// spends none.
func (a inSteps) stepRefused(ctx context.Context, t session.Ticket, try *pending.Try, err error) {
	var refusal *mapping.Refusal
	switch {
	case !errors.As(err, &refusal) || !personsFault(refusal.Meaning):
		err = try.GiveBack(ctx)
	case try.Last || refusal.Meaning == mapping.InvalidCredentials:
		_, err = a.steps.Drop(ctx, t)
	default:
		return
	}
	if err != nil {
		a.events.Log.WarnContext(ctx, "pending sign-in not settled", "error", err)
	}
}

// dropStep ends a pending sign-in that the call brought along, best effort: another
// one takes its place, or the person is in, or leaves. It reports whether there is a
// cookie of one.
func (a inSteps) dropStep(ctx context.Context, c *call.Call) bool {
	ticket, ok := auth.StepTicket(c.Request.Head, c.Frontend())
	if !ok {
		return false
	}
	if _, err := a.steps.Drop(ctx, ticket); err != nil {
		a.events.Log.WarnContext(ctx, "pending sign-in not ended", "error", err)
	}
	return true
}

// nobody is the session document where nobody is signed in; it names the step that a
// reloaded page must go on with.
func (a *Account) nobody(c *call.Call, why session.Reason) error {
	doc := anonymous{Reason: string(why)}
	if ticket, ok := auth.StepTicket(c.Request.Head, c.Frontend()); ok {
		p, err := a.steps.Find(context.Background(), c.Frontend().Name, ticket)
		var ended session.EndedError
		switch {
		case err == nil:
			doc.Step, doc.Fields = p.Name, fieldNames(p.Fields)
		case !errors.As(err, &ended):
			return err
		}
	}
	if login := c.Frontend().Config.Login; len(login.Provider) > 0 && doc.Step == "" {
		doc.Frontend, doc.Providers, doc.Fields = c.Frontend().Name, login.Provider, fieldNames(login.Fields)
	}
	return c.JSON(200, doc)
}
