package server

import (
	"context"
	"errors"
	"slices"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
)

// verifyInterval is how often, at most, an API is asked whether one session's token
// still lives.
const verifyInterval = time.Second

// heed looks at what a proxied answer says of the credential: that it may be dead
// (verify), or that it has changed (follow). It is asked only where the mapping says
// that the API speaks so.
func (s *Server) heed(x *exchange) error {
	api := x.frontend.signIn
	if x.token() == nil || x.route.up != api {
		return nil
	}
	if api.Follows() {
		s.follow(x)
	}
	if api.CanVerify() && api.VerifyAfter(x.answer.Status) {
		return s.verify(x)
	}
	return nil
}

// verify asks the API before a refusal is believed: one route's 401 may be about that
// route. A token that is dead ends the session.
func (s *Server) verify(x *exchange) error {
	ctx, cancel := s.detached()
	defer cancel()
	if ok, err := s.manager.Once(ctx, x.session, "verify", verifyInterval); err != nil || !ok {
		return nil //nolint:nilerr // the API's own answer says more than our failure to check it
	}
	asking, caller := x.asks("verify")
	alive, err := x.frontend.signIn.Verify(ctx, x.session.Credential, caller)
	asking.Answered(0, err)
	if err != nil || alive {
		return nil //nolint:nilerr // as above
	}
	// What was refused may be an old value: another call may have followed the API to a
	// newer one meanwhile. Then the session lives, and the API's own answer passes.
	if _, err = s.manager.Refused(ctx, x.session, x.ticket); err == nil {
		return nil
	}
	_ = x.answer.Close()
	if errors.Is(err, session.Dead{Reason: session.Upstream}) {
		s.event(x, "revocation", "refused_by_api")
	}
	return err
}

// follow writes a value back that the API renewed on its answer. The manager fences
// it: where somebody else renewed the credential meanwhile, theirs stays.
func (s *Server) follow(x *exchange) {
	fresh, changed := x.frontend.signIn.Follow(x.session.Credential, x.lines, s.manager.Now())
	if !changed {
		return
	}
	renewed, err := s.manager.Refresh(context.Background(), x.session, x.ticket, time.Second,
		func(context.Context, *credential.Credential) (*credential.Credential, error) { return fresh, nil })
	var dead session.Dead
	if err != nil && !errors.As(err, &dead) {
		s.log.Warn("credential not followed", "frontend", x.frontend.name, "error", err)
		return
	}
	if err == nil {
		x.session = renewed
	}
}

// lines are the values of an answer's fields called name, also of those that never
// reach the browser.
func (x *exchange) lines(name string) (values []string) {
	for i := range x.answer.Fields {
		if f := &x.answer.Fields[i]; len(f.Name) == len(name) && equalFold(f.Name, []byte(name)) {
			values = append(values, string(slices.Clone(f.Value)))
		}
	}
	return values
}
