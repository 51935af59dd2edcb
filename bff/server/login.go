package server

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/upstream"
)

// login takes a person's credentials to the API, and gives the browser a ticket for
// what the API gave. A failed sign-in changes no session; a good one is stored first,
// and then ends the session whose live ticket came with it.
func (s *Server) login(x *exchange) error {
	fields, err := x.readLogin()
	if err != nil {
		return err
	}
	if step, ok := x.stepOf(fields); ok {
		return s.takeStep(x, step, fields)
	}
	if err := undeclared(fields, x.frontend.config.Login.Fields); err != nil {
		return err
	}
	ctx, cancel := s.detached()
	defer cancel()
	account := fields[x.frontend.config.Login.FieldNames()[0]].Reveal()
	attempt, err := s.attempt(ctx, x, account)
	if err != nil {
		return err
	}
	asking, caller := x.asks("sign_in")
	signedIn, err := x.frontend.signIn.SignIn(ctx, fields, caller, s.manager.Now())
	asking.Answered(0, err)
	if err != nil {
		s.settle(ctx, x, attempt, err)
		return err
	}
	if signedIn.Step != nil {
		return s.hold(ctx, x, attempt, account, "", signedIn.Step)
	}
	return s.admit(ctx, x, attempt, signedIn)
}

// admit begins the session of a person whom the API let in.
func (s *Server) admit(ctx context.Context, x *exchange, attempt *session.Attempt, in *upstream.SignedIn) error {
	ticket, started, err := s.manager.Start(ctx, x.sessionStart(in))
	if err != nil {
		s.settle(ctx, x, attempt, err)
		s.tellAPI(x, in.Credential)
		return err
	}
	s.settle(ctx, x, attempt, nil)
	s.endReplaced(ctx, x)
	x.session, x.ticket, x.hasTicket = started, ticket, true
	x.giveTicket(ticket)
	if s.dropStep(ctx, x) {
		x.takeStepTicket()
	}
	s.event(x, "sign_in", "signed_in")
	x.json(200, s.document(x, started))
	return nil
}

// attempt counts the sign-in before the API is asked.
func (s *Server) attempt(ctx context.Context, x *exchange, account string) (*session.Attempt, error) {
	t := x.frontend.config.Throttle
	limits := session.Limits{Account: t.Account, Address: t.Address, Window: t.Window, Shared: x.frontend.config.SharedThrottle}
	attempt, err := s.manager.Attempt(ctx, x.frontend.name, account, x.client, limits)
	if err != nil {
		var throttled session.Throttled
		if errors.As(err, &throttled) {
			s.event(x, "sign_in", "throttled")
		}
	}
	return attempt, err
}

// settle closes the books on an attempt: a success clears the account's count, a
// person's fault stays counted, and ours or the API's is given back.
func (s *Server) settle(ctx context.Context, x *exchange, a *session.Attempt, err error) {
	var refusal *upstream.Refusal
	switch {
	case err == nil:
		err = a.Succeeded(ctx)
	case errors.As(err, &refusal) && personsFault(refusal.Meaning):
		s.event(x, "sign_in", refusal.Meaning)
		err = nil
	default:
		err = a.GiveBack(ctx)
	}
	if err != nil {
		s.log.WarnContext(ctx, "throttle count not settled", "frontend", x.frontend.name, "error", err)
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

// subjectOf names the person for ever. Whom the API does not name is nobody else: a
// random name of their own, or all such people would share one list of sessions.
func subjectOf(in *upstream.SignedIn) string {
	if in.Subject != "" {
		return in.Subject
	}
	return "unnamed " + rand.Text()
}

func (x *exchange) sessionStart(in *upstream.SignedIn) session.Start {
	agent, _ := x.head.Get("user-agent")
	user, _ := json.Marshal(in.User) // a map of JSON texts: cannot fail
	return session.Start{Frontend: x.frontend.name, Subject: subjectOf(in), User: user, Credential: in.Credential,
		RefreshAble: x.frontend.signIn.Renews(in.Credential),
		UserAgent:   string(agent), Address: x.client.String()}
}

// endReplaced ends the session that the new one takes the place of.
func (s *Server) endReplaced(ctx context.Context, x *exchange) {
	x.readTicket()
	if !x.hasTicket {
		return
	}
	ended, err := s.manager.End(ctx, x.frontend.name, x.ticket, session.SignedOut)
	if err != nil {
		s.log.WarnContext(ctx, "replaced session not ended", "frontend", x.frontend.name, "error", err)
		return
	}
	if ended != nil {
		s.tellAPI(x, ended.Credential)
	}
}

// logout ends the session, then tells the API. The cookie is expired only once the
// session is gone from the store, so that a page can say when it is not.
func (s *Server) logout(x *exchange) error {
	x.readTicket()
	ctx, cancel := s.detached()
	defer cancel()
	if x.hasTicket {
		ended, err := s.manager.End(ctx, x.frontend.name, x.ticket, session.SignedOut)
		if err != nil {
			return err
		}
		if ended != nil {
			x.session = ended
			s.event(x, "sign_out", "signed_out")
			s.tellAPI(x, ended.Credential)
		}
	}
	x.takeTicket()
	if s.dropStep(ctx, x) {
		x.takeStepTicket()
	}
	x.own()
	x.empty(204)
	return nil
}

// SignOutAtAPI tells the API, best effort, that nobody will use this credential of
// that frontend any more.
func (s *Server) SignOutAtAPI(ctx context.Context, frontend string, c *credential.Credential) {
	f := s.current.Load().frontends[frontend]
	if f == nil {
		return
	}
	caller := upstream.Caller{UserAgent: "Coatcheck", ForwardedProto: f.scheme, ForwardedHost: f.hosts[0]}
	if err := f.signIn.SignOut(ctx, c, caller); err != nil {
		s.log.WarnContext(ctx, "API not told of a sign-out", "frontend", frontend, "error", err)
	}
}

// patience is how long an answer waits for the API to hear of a sign-out. The work
// goes on behind it.
const patience = time.Second

// tellAPI tells the API, best effort, that nobody will use this credential again.
func (s *Server) tellAPI(x *exchange, c *credential.Credential) {
	frontend, api := x.frontend.name, x.frontend.signIn
	if !api.CanSignOut() {
		return
	}
	asking, caller := x.asks("sign_out")
	done, id := make(chan struct{}), string(x.requestID)
	s.background.Add(1)
	go func() { // ends with the API's answer or logout.timeout; Shutdown waits for it
		defer s.background.Done()
		defer close(done)
		defer s.contain(id)
		ctx, cancel := s.detached()
		defer cancel()
		err := api.SignOut(ctx, c, caller)
		asking.Answered(0, err)
		if err != nil {
			s.log.WarnContext(ctx, "API not told of a sign-out", "frontend", frontend, "error", err)
		}
	}()
	select {
	case <-done:
	case <-time.After(patience):
	}
}
