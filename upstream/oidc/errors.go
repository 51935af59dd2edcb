package oidc

import (
	"errors"
	"fmt"
	"strings"

	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
)

// What can come of a sign-in beside success. [upstream.ErrUnreachable] and
// [upstream.ErrTimeout] say that the provider did not answer.
var (
	// ErrRefused says that the person, or the provider's policy, said no (access_denied).
	ErrRefused = errors.New("oidc: sign-in refused")
	// ErrInteraction says that prompt=none was asked and the provider must show a page
	// (login_required and its siblings): nobody is signed in, and nothing is wrong.
	ErrInteraction = errors.New("oidc: provider must show a page")
	// ErrAgain says that the attempt may begin anew (temporarily_unavailable).
	ErrAgain = errors.New("oidc: provider asks to try again")
	// ErrFailed says that the provider's answer cannot be used. It is never the
	// person's fault. It wraps [upstream.ErrInvalid].
	ErrFailed = fmt.Errorf("oidc: provider's answer cannot be used: %w", upstream.ErrInvalid)
	// ErrNotAdmitted says that the person is known and may not sign in here.
	ErrNotAdmitted = errors.New("oidc: person is not admitted")
	// ErrNoKeys says that the provider's keys could not be fetched or read: nothing is known of
	// the token, and the same one may be good later. It wraps the reason.
	ErrNoKeys = errors.New("oidc: provider's keys are not available")
	// ErrUnsupported says that the provider offers no such endpoint.
	ErrUnsupported = errors.New("oidc: provider does not offer this")
)

// ProviderError is an error response of the provider (RFC 6749 §4.1.2.1, §5.2). Its
// text is for the log: no page shows it.
type ProviderError struct {
	// Code is the error code, cut to 64 characters of printable ASCII.
	Code string
	// Description is error_description, cut to 200 characters of printable ASCII.
	Description string
	// Status is the HTTP status that it came with; 0 in an authorization response.
	Status int
}

// Error implements error.
func (e *ProviderError) Error() string {
	text := "provider says " + e.Code
	if e.Description != "" {
		text += " (" + e.Description + ")"
	}
	if e.Status != 0 {
		text += fmt.Sprintf(", status %d", e.Status)
	}
	return text
}

const (
	maxErrorCode   = 64
	maxDescription = 200
)

func providerError(code, description string, status int) *ProviderError {
	return &ProviderError{Code: clean(code, maxErrorCode), Description: clean(description, maxDescription), Status: status}
}

// clean makes foreign text fit for a log line: printable ASCII, at most limit bytes.
func clean(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s[:min(len(s), 4*limit)])
	return strings.TrimSpace(s[:min(len(s), limit)])
}

// refusal is why go-oidc refuses a token, without what it quotes of claims that it cannot
// read.
func refusal(err error) string {
	const unreadable = "failed to unmarshal claims"
	why, _, is := strings.Cut(err.Error(), unreadable)
	if is {
		why += unreadable
	}
	return clean(why, maxDescription)
}

// failed makes an [ErrFailed] with a reason of our own.
func failed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrFailed}, args...)...)
}

// within says which provider and which exchange an error is about.
func (p *link) within(what string, err error) error {
	var refusal *mapping.Refusal
	if err == nil || errors.As(err, &refusal) {
		return err
	}
	return fmt.Errorf("provider %s: %s: %w", p.name, what, err)
}
