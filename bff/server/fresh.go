package server

import (
	"context"
	"errors"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/upstream"
)

// fresh sees to it that the token lasts. A refresh that fails for the API's sake
// leaves the old token in use while it lasts; the session stays in any case.
func (s *Server) fresh(x *exchange, in *session.Session) (*session.Session, error) {
	api := x.frontend.signIn
	ends := in.Credential.Expires
	if !x.route.sendToken || ends.IsZero() || !api.Renews(in.Credential) {
		return in, nil
	}
	left := ends.Sub(s.manager.Now())
	if left > api.RefreshBefore() {
		return in, nil
	}
	renewed, err := s.renew(x, in, always)
	var dead session.Dead
	if err != nil && !errors.As(err, &dead) && left > 0 {
		return in, nil
	}
	return renewed, err
}

// renew asks the manager for a new token: one at a time per session, however many
// calls wait, and detached from the browser that happened to come first. allowed may
// forbid to ask the API; a token that somebody else renewed meanwhile is had anyway.
func (s *Server) renew(x *exchange, in *session.Session, allowed func(context.Context) error) (*session.Session, error) {
	api, caller, frontend := x.frontend.signIn, x.caller(), x.frontend.name
	span := x.span // what runs below may outlive the exchange
	return s.manager.Refresh(context.Background(), in, x.ticket, api.RefreshTimeout(), func(ctx context.Context, old *credential.Credential) (*credential.Credential, error) {
		if err := allowed(ctx); err != nil {
			return nil, err
		}
		asking := span.Ask("refresh", api.Name())
		if asking != nil {
			caller.TraceParent, _ = asking.Headers()
		}
		fresh, err := api.Refresh(ctx, old, caller, s.manager.Now())
		asking.Answered(0, err)
		s.refreshed(frontend, caller.RequestID, in.LogID, err)
		var refusal *upstream.Refusal
		if errors.As(err, &refusal) {
			if refusal.Meaning == "session_expired" {
				return nil, session.ErrCredentialDead
			}
			return nil, upstream.ErrUnreachable // throttled or misconfigured: later
		}
		return fresh, err
	})
}

// refreshed logs a renewal that failed: the API refused the token, or could not say.
// The exchange that asked for it may be over.
func (s *Server) refreshed(frontend, requestID, sessionID string, err error) {
	if err == nil {
		return
	}
	outcome := "failed"
	var refusal *upstream.Refusal
	if errors.As(err, &refusal) && refusal.Meaning == "session_expired" {
		outcome = "refused"
	}
	s.metrics.Event(frontend, "refresh", outcome)
	s.log.Warn("security", "event", "refresh", "outcome", outcome, "request_id", requestID,
		"frontend", frontend, "session", sessionID, "error", err)
}

func always(context.Context) error { return nil }

// secondInterval is how often one session's token is renewed because of a 401.
const secondInterval = time.Minute

// maySecond reports whether a 401 may be answered by a renewal and a repetition:
// the call carried a token, a session was required, and its body can be repeated.
func (x *exchange) maySecond() bool {
	api := x.frontend.signIn
	return x.route.session == sessionRequired && x.token() != nil && x.call.Body == nil &&
		api.Renews(x.session.Credential)
}

// errNotAgain says that a token was renewed because of a 401 a moment ago.
var errNotAgain = errors.New("server: renewed because of a 401 less than a minute ago")

// renewAfter401 returns the session with a newer token than the one that was
// refused; nil where there is none to be had, and the 401 passes as it is.
func (s *Server) renewAfter401(x *exchange) (*session.Session, error) {
	in := x.session // what runs below may outlive the exchange
	renewed, err := s.renew(x, in, func(ctx context.Context) error {
		ok, err := s.manager.Once(ctx, in, "401", secondInterval)
		if err == nil && !ok {
			err = errNotAgain
		}
		return err
	})
	var dead session.Dead
	if errors.As(err, &dead) {
		_ = x.answer.Close()
		return nil, err
	}
	if err != nil {
		return nil, nil //nolint:nilerr,nilnil // the API's own answer says more than our failure to better it
	}
	return renewed, nil
}
