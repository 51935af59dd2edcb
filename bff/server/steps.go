package server

import (
	"context"
	"errors"
	"slices"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/upstream"
)

// stepOf finds out whether a sign-in body answers a pending step: it names one, and
// the frontend has no sign-in field of that name.
func (x *exchange) stepOf(fields map[string]credential.Secret) (string, bool) {
	step, ok := fields["step"]
	if !ok || !x.frontend.signIn.HasSteps() || slices.Contains(x.frontend.config.Login.FieldNames(), "step") {
		return "", false
	}
	delete(fields, "step")
	return step.Reveal(), true
}

// hold keeps a sign-in that the API wants more for. It is no success yet: the attempt
// stays counted until the last step is done, and is then given back with it.
// tries is where codes for this very step were counted before, if they were.
func (s *Server) hold(ctx context.Context, x *exchange, a *session.Attempt, account, tries string, p *upstream.Pending) error {
	ticket, err := s.manager.Hold(ctx, session.Pending{Frontend: x.frontend.name, Account: account,
		Step: p.Name, Fields: p.Fields, Kept: p.Kept, Counted: a.Counts(), Tries: tries})
	if err != nil {
		s.settle(ctx, x, a, err)
		return err
	}
	s.event(x, "sign_in", "step")
	s.dropStep(ctx, x)
	x.giveStepTicket(ticket)
	x.json(200, anonymous{Step: p.Name, Fields: fieldNames(p.Fields)})
	return nil
}

// fieldNames are the fields as a page is told them; "name?" is optional there too.
func fieldNames(fields []string) []string { return append([]string{}, fields...) }

// takeStep answers a pending step with what the person gave.
func (s *Server) takeStep(x *exchange, step string, fields map[string]credential.Secret) error {
	ctx, cancel := s.detached()
	defer cancel()
	ticket, ok := x.readStepTicket()
	if !ok {
		return errNotAuthenticated
	}
	p, err := s.manager.Held(ctx, x.frontend.name, ticket)
	if err != nil {
		return err
	}
	if p.Step != step {
		return badRequest("another step is pending: " + p.Step)
	}
	if err := undeclared(fields, p.Fields); err != nil {
		return err
	}
	attempt, err := s.attempt(ctx, x, p.Account)
	if err != nil {
		return err
	}
	attempt.Follow(p.Counted)
	try, err := s.manager.Try(ctx, p)
	if err != nil {
		s.settle(ctx, x, attempt, err)
		return err
	}
	asking, caller := x.asks("step")
	signedIn, err := x.frontend.signIn.Continue(ctx, p.Step, p.Kept, fields, caller, s.manager.Now())
	asking.Answered(0, err)
	if err != nil {
		s.settle(ctx, x, attempt, err)
		s.stepRefused(ctx, ticket, try, err)
		return err
	}
	return s.stepTaken(ctx, x, attempt, ticket, p, signedIn)
}

// stepTaken goes on behind a step that the API accepted. Of two that take the same
// step at once, one gets through.
func (s *Server) stepTaken(ctx context.Context, x *exchange, a *session.Attempt, t session.Ticket, p *session.Pending, in *upstream.SignedIn) error {
	first, err := s.manager.Drop(ctx, t)
	if err == nil && !first {
		err = session.Dead{Reason: session.Expired}
	}
	if err != nil {
		s.settle(ctx, x, a, err)
		if in.Step == nil {
			s.tellAPI(x, in.Credential)
		}
		return err
	}
	if in.Step == nil {
		return s.admit(ctx, x, a, in)
	}
	tries := ""
	if in.Step.Name == p.Step { // the API wants the same again: that is no new allowance
		tries = p.Tries
	}
	return s.hold(ctx, x, a, p.Account, tries, in.Step)
}

// stepRefused ends a pending sign-in that the API will not go on with. A wrong code
// (mfa_required) leaves it, until its tries are spent; a failure of ours or the API's
// spends none.
func (s *Server) stepRefused(ctx context.Context, t session.Ticket, try *session.Try, err error) {
	var refusal *upstream.Refusal
	switch {
	case !errors.As(err, &refusal) || !personsFault(refusal.Meaning):
		err = try.GiveBack(ctx)
	case try.Last || refusal.Meaning == upstream.InvalidCredentials:
		_, err = s.manager.Drop(ctx, t)
	default:
		return
	}
	if err != nil {
		s.log.WarnContext(ctx, "pending sign-in not settled", "error", err)
	}
}

// dropStep ends a pending sign-in that the call brought along, best effort: another
// one takes its place, or the person is in, or leaves. It reports whether there is a
// cookie of one.
func (s *Server) dropStep(ctx context.Context, x *exchange) bool {
	ticket, ok := x.readStepTicket()
	if !ok {
		return false
	}
	if _, err := s.manager.Drop(ctx, ticket); err != nil {
		s.log.WarnContext(ctx, "pending sign-in not ended", "error", err)
	}
	return true
}

// nobody is the session document where nobody is signed in; it names the step that a
// reloaded page must go on with.
func (s *Server) nobody(x *exchange, why session.Reason) error {
	doc := anonymous{Reason: string(why)}
	if ticket, ok := x.readStepTicket(); ok {
		p, err := s.manager.Held(context.Background(), x.frontend.name, ticket)
		var dead session.Dead
		switch {
		case err == nil:
			doc.Step, doc.Fields = p.Step, fieldNames(p.Fields)
		case !errors.As(err, &dead):
			return err
		}
	}
	x.json(200, doc)
	return nil
}
