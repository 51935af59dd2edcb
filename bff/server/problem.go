package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"coatcheck/bff/gate"
	"coatcheck/bff/session"
	"coatcheck/upstream"
)

// Problem is an answer that Coatcheck makes itself, as the browser sees it
// (RFC 9457). It is an error, so that handlers return it and one place renders it.
// Every text in it is one of this program's constants or a name of the configuration:
// no text from a request, an API or another error ever gets into one.
type Problem struct {
	Status int
	Code   string
	Detail string

	// Reason says why a session is dead, where it is known.
	Reason string
	// Fields are names of sign-in fields that the API found wrong.
	Fields []string
	// RetryAfter is what Retry-After says; 0: the header is not sent.
	RetryAfter time.Duration
	// Allow lists methods, on a 405.
	Allow string
}

// Error implements error with the code.
func (p *Problem) Error() string { return p.Code }

// with returns a copy of p, changed.
func (p *Problem) with(change func(*Problem)) *Problem {
	q := *p
	change(&q)
	return &q
}

func problem(status int, code, detail string) *Problem {
	return &Problem{Status: status, Code: code, Detail: detail}
}

// Every refusal of Coatcheck's own, but those of the raw gate (package gate).
var (
	errBadRequest         = problem(400, "bad_request", "The request is not what this address takes.")
	errBadPath            = problem(400, "bad_path", "The path is ambiguous.")
	errUndetermined       = problem(400, "frontend_undetermined", "The request does not say which frontend it belongs to.")
	errNotAuthenticated   = problem(401, "not_authenticated", "Nobody is signed in.")
	errSessionExpired     = problem(401, "session_expired", "The session has ended.")
	errInvalidCredentials = problem(401, "invalid_credentials", "The credentials were not accepted.")
	errMFARequired        = problem(401, "mfa_required", "A further factor is needed.")
	errOrigin             = problem(403, "origin_not_allowed", "Pages of this origin may not call here.")
	errCrossSite          = problem(403, "cross_site_request", "The request was not made by the frontend's own pages.")
	errCSRFHeader         = problem(403, "csrf_header_missing", "The header X-CSRF: 1 is missing.")
	errDestination        = problem(403, "forbidden_destination", "An API's answer may not become a script or a worker.")
	errAccountLocked      = problem(403, "account_locked", "The account is locked.")
	errAccountDisabled    = problem(403, "account_disabled", "The account is disabled.")
	errAccountUnverified  = problem(403, "account_unverified", "The account is not confirmed yet.")
	errPasswordExpired    = problem(403, "password_expired", "The password has expired.")
	errNotFound           = problem(404, "not_found", "There is nothing here.")
	errMethod             = problem(405, "method_not_allowed", "The method is not allowed here.")
	errRequestTimeout     = problem(408, "request_timeout", "The request's body did not arrive in time.")
	errTooLarge           = problem(413, "body_too_large", "The request's body is too large.")
	errMediaType          = problem(415, "unsupported_media_type", "Only application/json is taken here.")
	errUnknownHost        = problem(421, "unknown_host", "No frontend lives at this host.")
	errInvalidFields      = problem(422, "invalid_fields", "The API did not accept the form of some fields.")
	errTooManyAttempts    = problem(429, "too_many_attempts", "Too many failed sign-ins. Try again later.")
	errTooManyStreams     = problem(429, "too_many_attempts", "This session has too many streams open. Close some first.").with(func(p *Problem) { p.RetryAfter = crowdRetry })
	errBrowserLeft        = problem(499, "browser_left", "Nobody reads this.")
	errInternal           = problem(500, "internal", "Something went wrong here.")
	errUnreachable        = problem(502, "upstream_unreachable", "The API cannot be reached.")
	errInvalid            = problem(502, "upstream_invalid", "The API's answer cannot be used.")
	errStore              = problem(503, "store_unavailable", "Sessions cannot be read at the moment. Nothing is lost.")
	errBreaker            = problem(503, "upstream_unavailable", "The API is not answering at the moment.")
	errBusy               = problem(503, "upstream_unavailable", "All connections to the API are in use at the moment.").with(func(p *Problem) { p.RetryAfter = busyRetry })
	errDraining           = problem(503, "draining", "This process is ending.").with(func(p *Problem) { p.RetryAfter = time.Second })
	errTimeout            = problem(504, "upstream_timeout", "The API did not answer in time.")
)

// busyRetry is what Retry-After says when no connection to an API is free.
const busyRetry = time.Second

// storeRetry is what Retry-After says when the store is away.
const storeRetry = 2 * time.Second

// meanings are what an API's answer can mean (mapping language, `means`).
var meanings = map[string]*Problem{
	"invalid_credentials": errInvalidCredentials,
	"mfa_required":        errMFARequired,
	"account_locked":      errAccountLocked,
	"account_disabled":    errAccountDisabled,
	"account_unverified":  errAccountUnverified,
	"password_expired":    errPasswordExpired,
	"invalid_fields":      errInvalidFields,
	"too_many_attempts":   errTooManyAttempts,
	"upstream_invalid":    errInvalid,
	"session_expired":     errInvalid,
}

// sentinels of the rooms below, and what the browser is told. The first match counts.
var sentinels = []struct {
	err     error
	problem *Problem
}{
	{gate.ErrBodyTooLarge, errTooLarge},
	{gate.ErrBodyTimeout, errRequestTimeout},
	{gate.ErrBodyBroken, errBadRequest},
	{session.ErrUnavailable, errStore.with(func(p *Problem) { p.RetryAfter = storeRetry })},
	{session.ErrNotFound, errNotFound},
	{session.ErrTokenEnded, errInvalid},
	{upstream.ErrOpen, errBreaker.with(func(p *Problem) { p.RetryAfter = upstream.BreakerRest })},
	{upstream.ErrBusy, errBusy},
	{upstream.ErrAborted, errBrowserLeft},
	{upstream.ErrTimeout, errTimeout},
	{context.DeadlineExceeded, errTimeout}, // waiting for somebody else's refresh
	{upstream.ErrUnreachable, errUnreachable},
	{upstream.ErrInvalid, errInvalid},
}

// problemOf finds what the browser is told of err. What nobody foresaw is 500.
func problemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	var dead session.Dead
	if errors.As(err, &dead) {
		return errSessionExpired.with(func(p *Problem) { p.Reason = string(dead.Reason) })
	}
	var throttled session.Throttled
	if errors.As(err, &throttled) {
		return errTooManyAttempts.with(func(p *Problem) { p.RetryAfter = throttled.RetryAfter })
	}
	var refusal *upstream.Refusal
	if errors.As(err, &refusal) && meanings[refusal.Meaning] != nil {
		return meanings[refusal.Meaning].with(func(p *Problem) {
			p.RetryAfter, p.Fields = refusal.RetryAfter, refusal.Fields
		})
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return s.problem
		}
	}
	return errInternal
}

// Told is what a browser would be told of an error, for tools that say so.
func Told(err error) *Problem { return problemOf(err) }

// document renders p.
func (p *Problem) document(requestID string) []byte {
	b, _ := json.Marshal(struct {
		Type      string   `json:"type"`
		Title     string   `json:"title"`
		Status    int      `json:"status"`
		Code      string   `json:"code"`
		Reason    string   `json:"reason,omitempty"`
		Fields    []string `json:"fields,omitempty"`
		Detail    string   `json:"detail"`
		RequestID string   `json:"request_id"`
	}{"about:blank", http.StatusText(p.Status), p.Status, p.Code, p.Reason, p.Fields, p.Detail, requestID})
	return b
}

// retryAfter is the whole number of seconds for Retry-After, at least 1.
func retryAfter(d time.Duration) string {
	return strconv.Itoa(max(1, int((d+time.Second-1)/time.Second)))
}
