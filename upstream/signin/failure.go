package signin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"coatcheck/upstream"
)

// Meanings that a [Refusal] can have.
const (
	InvalidCredentials = "invalid_credentials"
	MFARequired        = "mfa_required"
	AccountLocked      = "account_locked"
	AccountDisabled    = "account_disabled"
	AccountUnverified  = "account_unverified"
	PasswordExpired    = "password_expired"
	InvalidFields      = "invalid_fields"
	TooManyAttempts    = "too_many_attempts"
	SessionExpired     = "session_expired"
)

// upstreamInvalid is the meaning that is no refusal: it becomes [upstream.ErrInvalid].
const upstreamInvalid = "upstream_invalid"

// Refusal is an API's clear no. Its text holds nothing of the API's answer.
type Refusal struct {
	// Meaning is one of the constants above.
	Meaning string
	// RetryAfter is how long the API asks to wait, at most a day; 0 where it
	// does not say. Only with [TooManyAttempts].
	RetryAfter time.Duration
	// Fields are the names that the API complained about, sorted, and only those
	// that the sign-in knows. Only with [InvalidFields].
	Fields []string
}

// Error implements error.
func (r *Refusal) Error() string { return "upstream refused: " + r.Meaning }

// invalid makes an [upstream.ErrInvalid] with a reason in our own words.
func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{upstream.ErrInvalid}, args...)...)
}

// failure turns what a transport says into one of the sentinels. The text of
// err is dropped: net/http puts the URL with its query in it (API keys stand
// there), and pieces of malformed responses. The person's leaving stays
// recognisable as [context.Canceled].
func failure(ctx context.Context, err error) error {
	var timeout net.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("call given up: %w", context.Canceled)
	case errors.Is(err, context.DeadlineExceeded), ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return upstream.ErrTimeout
	case errors.Is(err, upstream.ErrBusy):
		return upstream.ErrDepleted
	}
	if isIdleClose(err) {
		err = io.ErrUnexpectedEOF
	}
	if unreachable := upstream.Unreachable(err); unreachable != nil {
		return unreachable
	}
	return invalid("answer is malformed or too large")
}

// isIdleClose recognises the one error that net/http keeps to itself: the API
// closed a kept connection just as it was taken. Its text is constant.
func isIdleClose(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if err.Error() == "http: server closed idle connection" {
			return true
		}
	}
	return false
}
