package server

import (
	"context"
	"errors"
	"time"

	"coatcheck/bff/gate"
	"coatcheck/bff/problem"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
	"coatcheck/bff/throttle"
	"coatcheck/upstream"
	"coatcheck/upstream/forward"
	"coatcheck/upstream/mapping"
)

// storeRetry is what Retry-After says when the store is away.
const storeRetry = 2 * time.Second

// meanings are what an API's answer can mean (mapping language, `means`).
var meanings = map[string]*problem.Problem{
	"invalid_credentials": problem.InvalidCredentials,
	"mfa_required":        problem.MFARequired,
	"account_locked":      problem.AccountLocked,
	"account_disabled":    problem.AccountDisabled,
	"account_unverified":  problem.AccountUnverified,
	"password_expired":    problem.PasswordExpired,
	"invalid_fields":      problem.InvalidFields,
	"too_many_attempts":   problem.TooManyAttempts,
	"upstream_invalid":    problem.UpstreamInvalid,
	"session_expired":     problem.UpstreamInvalid,
}

// sentinels of the rooms below, and what the browser sees of each. The first match counts.
var sentinels = []struct {
	err     error
	problem *problem.Problem
}{
	{gate.ErrBodyTooLarge, problem.BodyTooLarge},
	{gate.ErrBodyTimeout, problem.RequestTimeout},
	{gate.ErrBodyBroken, problem.BadRequest},
	{store.ErrUnavailable, problem.StoreUnavailable.With(func(p *problem.Problem) { p.RetryAfter = storeRetry })},
	{session.ErrNotFound, problem.NotFound},
	{session.ErrTokenEnded, problem.UpstreamInvalid},
	{forward.ErrOpen, problem.UpstreamUnavailable.With(func(p *problem.Problem) { p.RetryAfter = forward.BreakerRest })},
	{upstream.ErrBusy, problem.UpstreamBusy},
	{forward.ErrAborted, problem.BrowserLeft},
	{upstream.ErrTimeout, problem.UpstreamTimeout},
	{context.DeadlineExceeded, problem.UpstreamTimeout}, // waiting for somebody else's refresh
	{upstream.ErrUnreachable, problem.UpstreamUnreachable},
	{upstream.ErrInvalid, problem.UpstreamInvalid},
}

// ProblemOf finds what the browser sees of an error: the one table in which a status is
// chosen. What nobody foresaw is [problem.Internal].
func ProblemOf(err error) *problem.Problem {
	var p *problem.Problem
	if errors.As(err, &p) {
		return p
	}
	var ended session.EndedError
	if errors.As(err, &ended) {
		return problem.SessionExpired.With(func(p *problem.Problem) { p.Reason = string(ended.Reason) })
	}
	var throttled throttle.ThrottledError
	if errors.As(err, &throttled) {
		return problem.TooManyAttempts.With(func(p *problem.Problem) { p.RetryAfter = throttled.RetryAfter })
	}
	var refusal *mapping.Refusal
	if errors.As(err, &refusal) && meanings[refusal.Meaning] != nil {
		return meanings[refusal.Meaning].With(func(p *problem.Problem) {
			p.RetryAfter, p.Fields = refusal.RetryAfter, refusal.Fields
		})
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return s.problem
		}
	}
	return problem.Internal
}
