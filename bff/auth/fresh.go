package auth

import (
	"context"
	"errors"
	"time"

	"coatcheck/bff/call"
	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
)

// ensureFresh sees to it that the token lasts. A refresh that fails for the API's sake
// leaves the old token in use while it lasts; the session stays in any case.
func (a *Auth) ensureFresh(c *call.Call, p *Principal, in *session.Session) (*session.Session, error) {
	if !c.Route().SendToken {
		return in, nil
	}
	return a.freshen(c, p, in)
}

// freshen renews a token that is near its end.
func (a *Auth) freshen(c *call.Call, p *Principal, in *session.Session) (*session.Session, error) {
	method := a.Method(c.Frontend(), in)
	ends := in.Credential.Expires
	if ends.IsZero() || !method.Renews(in.Credential) {
		return in, nil
	}
	left := ends.Sub(a.manager.Now())
	if left > method.RefreshBefore() {
		return in, nil
	}
	renewed, err := a.renew(c, p, in, always)
	if err != nil && !isEnded(err) && left > 0 {
		return in, nil
	}
	return renewed, err
}

// renew asks the manager for a new token: one at a time per session, however many
// calls wait, and detached from the browser that happened to come first. allowed may
// forbid to ask the API; a token that somebody else renewed meanwhile is used anyway.
func (a *Auth) renew(c *call.Call, p *Principal, in *session.Session, allowed func(context.Context) error) (*session.Session, error) {
	method, caller, frontend := a.Method(c.Frontend(), in), c.Caller(), c.Frontend().Name
	span := c.Span // what runs below may outlive the call
	return a.manager.Refresh(context.Background(), in, p.Ticket, method.RefreshTimeout(), func(ctx context.Context, old *credential.Credential) (*credential.Credential, error) {
		if err := allowed(ctx); err != nil {
			return nil, err
		}
		asking := span.Ask("refresh", method.Name())
		if asking != nil {
			caller.TraceParent, _ = asking.Headers()
		}
		fresh, err := method.Refresh(ctx, old, caller, a.manager.Now())
		asking.Answered(0, err)
		a.refreshed(frontend, caller.RequestID, in.LogID, err)
		var refusal *mapping.Refusal
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
// The call that asked for it may be over.
func (a *Auth) refreshed(frontend, requestID, sessionID string, err error) {
	if err == nil {
		return
	}
	outcome := "failed"
	var refusal *mapping.Refusal
	if errors.As(err, &refusal) && refusal.Meaning == "session_expired" {
		outcome = "refused"
	}
	a.events.Metrics.Event(frontend, "refresh", outcome)
	a.events.Log.Warn("security", "event", "refresh", "outcome", outcome, "request_id", requestID,
		"frontend", frontend, "session", sessionID, "error", err)
}

func always(context.Context) error { return nil }

// retryInterval is how often one session's token is renewed because of a 401.
const retryInterval = time.Minute

// errBraked says that a token was renewed because of a 401 a moment ago.
var errBraked = errors.New("auth: renewed because of a 401 less than a minute ago")

// AfterUnauthorized gets a newer token than the one that the API refused with 401,
// and reports whether there is one: the call may then be repeated, once. Where there
// is none the API's answer passes as it is. Errors: [session.EndedError] only.
func (a *Auth) AfterUnauthorized(c *call.Call, p *Principal) (bool, error) {
	in := p.Session // what runs below may outlive the call
	renewed, err := a.renew(c, p, in, func(ctx context.Context) error {
		ok, err := a.manager.Once(ctx, in, "401", retryInterval)
		if err == nil && !ok {
			err = errBraked
		}
		return err
	})
	if isEnded(err) {
		return false, err
	}
	if err != nil || renewed == nil {
		return false, nil //nolint:nilerr // the API's own answer says more than our failure to better it
	}
	p.take(c, renewed)
	return true, nil
}
