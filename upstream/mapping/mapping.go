// Package mapping is the language in which a configuration describes how an API signs
// people in. There is no code for any one API, and nothing here opens a connection: the
// package reads values, it is read by package configs (which checks a file) and by
// package signin (which acts by it), and both ask the same questions of it.
//
// Four verbs make up the language:
//
//   - A mapping extracts values from a [Place] in a [Response]: [Place.Extract],
//     [Places.Extract], and when they expire (expiry.go).
//   - It puts them where a {name} stands in a [Request]: [Template], [Body],
//     [Request.Fill]. What an API gave is tested before it is put anywhere, and so is
//     what a person typed: no value ends the header, path or query that it stands in.
//   - It says what a response means: [Rule], [Rules].
//   - It closes the paths of its requests to everybody else: [ClosedPaths].
//
// The types that a file is decoded into carry the file's keys as `yaml` tags; their
// comments are the text of the reference. [Fault] is what is wrong in one of them,
// whatever the rest of the file says.
//
// A response that cannot be used is [upstream.ErrInvalid], never a person's fault; an
// API's clear no is a [Refusal]. No error holds a byte of a response or a secret.
package mapping

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"coatcheck/upstream"
)

// Meanings that a [Refusal] can have; a [Rule] gives one by its text.
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

// Accepted is the meaning of an answer that brings no credential and is no refusal
// either: a sign-up that must be confirmed first. Who reads the rules gets it as a
// [Refusal].
const Accepted = "accepted"

// Unusable is the meaning that is no refusal: it becomes [upstream.ErrInvalid].
const Unusable = "upstream_invalid"

// Refusal is an API's clear no. Its text holds nothing of the API's response.
type Refusal struct {
	// Meaning is one of the constants above, [Accepted] included, but for [Unusable].
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

// Invalid makes an [upstream.ErrInvalid] with a reason in our own words.
func Invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{upstream.ErrInvalid}, args...)...)
}

// Fault is what is wrong with a part of a mapping by itself.
type Fault struct {
	// Key is the key below the part that the fault is at; empty: the part itself.
	Key string
	// Message says what is wrong, without the value, which may be a secret.
	Message string
	// Hint says what would be right; empty: the message says enough. It may repeat the
	// value.
	Hint string
}

// Error implements error; it never repeats the value.
func (f *Fault) Error() string {
	if f.Key != "" {
		return f.Key + ": " + f.Message
	}
	return f.Message
}

// below is the fault as the part that holds f's part at key sees it.
func (f *Fault) below(key string) *Fault {
	return &Fault{strings.TrimSuffix(key+"."+f.Key, "."), f.Message, f.Hint}
}

// Join makes one error of faults; nil where there are none.
func Join(faults []*Fault) error {
	var all []error
	for _, f := range faults {
		all = append(all, f)
	}
	return errors.Join(all...)
}
