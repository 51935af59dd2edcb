package auth

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"coatcheck/bff/call"
	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

// renew asks the manager for a new token: one at a time per session, however many
// calls wait, and detached from the browser that happened to come first. cause is the
// answer that asked for it; empty: the token's end is near. allowed may forbid to ask the
// API; a token that somebody else renewed meanwhile is used anyway.
func (a *Auth) renew(c *call.Call, p *Principal, in *session.Session, cause string, allowed func(context.Context) error) (*session.Session, error) {
	method, caller, frontend := a.Method(c.Frontend(), in), c.Caller(), c.Frontend().Name
	span := c.Span // what runs below may outlive the call
	return a.manager.Renew(context.Background(), in, p.Ticket(c), method.RefreshTimeout(), func(ctx context.Context, old *credential.Credential) (*session.Renewal, error) {
		if err := allowed(ctx); err != nil {
			return nil, err
		}
		asking := span.Ask("refresh", method.Name())
		if asking != nil {
			caller.TraceParent, _ = asking.Headers()
		}
		fresh, err := renewBy(ctx, method, old, in.Subject, caller, a.manager.Now())
		asking.Answered(0, err)
		a.refreshed(frontend, caller.RequestID, in.LogID, cause, err)
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

// renewBy renews by an API's mapping, which may describe the person anew, or at a
// provider. A token of somebody else is no renewal.
func renewBy(ctx context.Context, method Method, old *credential.Credential, subject string, caller mapping.Caller, now time.Time) (*session.Renewal, error) {
	api, ok := method.(*signin.Upstream)
	if !ok {
		fresh, err := method.Refresh(ctx, old, caller, now)
		return &session.Renewal{Credential: fresh}, err
	}
	in, err := api.Renew(ctx, old, caller, now)
	if err != nil {
		return nil, err
	}
	if in.Same {
		return &session.Renewal{Credential: in.Credential}, nil
	}
	if !SamePerson(in, subject) {
		return nil, mapping.Invalid("refresh: the answer describes another person")
	}
	return &session.Renewal{Credential: in.Credential, User: in.UserJSON()}, nil
}

// SamePerson reports whether an API's answer is about the person whom a session's subject
// names. Whom the API never named it need not name now.
func SamePerson(in *signin.SignedIn, subject string) bool {
	if in.Subject == "" {
		return strings.HasPrefix(subject, Unnamed)
	}
	return session.PersonOf("", in.Subject) == subject
}

// Unnamed begins the subjects of people whom their API does not name.
const Unnamed = "unnamed "

// refreshed logs a renewal that failed (the API refused the token, or could not say), or
// that an answer asked for. The call that asked for it may be over.
func (a *Auth) refreshed(frontend, requestID, sessionID, cause string, err error) {
	if err == nil && cause == "" {
		return
	}
	outcome, level := "renewed", slog.LevelInfo
	var refusal *mapping.Refusal
	switch {
	case errors.As(err, &refusal) && refusal.Meaning == "session_expired":
		outcome, level = "refused", slog.LevelWarn
	case err != nil:
		outcome, level = "failed", slog.LevelWarn
	}
	attrs := []any{"event", "refresh", "outcome", outcome, "request_id", requestID, "frontend", frontend, "session", sessionID}
	if cause != "" {
		attrs = append(attrs, "cause", cause)
	}
	if err != nil {
		attrs = append(attrs, "error", err)
	}
	a.events.Metrics.Event(frontend, "refresh", outcome)
	a.events.Log.Log(context.Background(), level, "security", attrs...)
}

func always(context.Context) error { return nil }

// brakeTime is how long one session's token is not renewed because of an answer once a
// renewal did not help: the new token was refused too, or nobody knows whether it was.
const brakeTime = time.Minute

// retryInterval is how often one session's token for an API with tokens of its own is got
// anew because of a 401.
const retryInterval = brakeTime

// brake names the brake in the store.
const brake = "stale"

// errBraked says that a renewal because of an answer did not help a moment ago.
var errBraked = errors.New("auth: renewed because of an answer less than a minute ago, which did not help")

// AfterStale gets a newer token than the one that the API's answer called dead, and
// reports whether there is one: the call may then be repeated, once, where again says so.
// Where there is none the API's answer passes as it is. Errors: [session.EndedError] only.
func (a *Auth) AfterStale(c *call.Call, p *Principal, cause string, again bool) (bool, error) {
	if x := a.exchanges[c.Route().Upstream]; x != nil {
		return exchanging{a}.exchangeAgain(c, p, x)
	}
	err := a.renewStale(c, p, cause)
	if isEnded(err) {
		return false, err
	}
	if err != nil {
		return false, nil //nolint:nilerr // the API's own answer says more than our failure to better it
	}
	if !again {
		a.NotHelped(p) // nobody knows, so that it must not happen with every call
	}
	return true, nil
}

// RenewDead renews a token that the API called dead when it was asked who the person is,
// and reports whether there is a newer one. Errors: [session.EndedError] only.
func (a *Auth) RenewDead(c *call.Call, p *Principal) (bool, error) {
	if !a.Method(c.Frontend(), p.Session).Renews(p.Session.Credential) {
		return false, nil
	}
	err := a.renewStale(c, p, "user")
	if isEnded(err) {
		return false, err
	}
	return err == nil, nil
}

// renewStale renews a token that an answer called dead, unless that did not help lately.
func (a *Auth) renewStale(c *call.Call, p *Principal, cause string) error {
	in := p.Session // what runs below may outlive the call
	renewed, err := a.renew(c, p, in, cause, func(ctx context.Context) error {
		braked, err := a.manager.Braked(ctx, in, brake)
		if err == nil && braked {
			err = errBraked
		}
		return err
	})
	if err == nil {
		p.take(c, renewed)
	}
	return err
}

// NotHelped says that the API calls the new token dead, too.
func (a *Auth) NotHelped(p *Principal) {
	ctx, cancel := call.Detached()
	defer cancel()
	if err := a.manager.Brake(ctx, p.Session, brake, brakeTime); err != nil {
		a.events.Log.Warn("renewals not braked", "session", p.Session.LogID, "error", err)
	}
}
