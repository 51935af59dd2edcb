// Package sessiontest is what the tests of several rooms do with sessions.
package sessiontest

import (
	"context"
	"errors"
	"testing"

	"coatcheck/bff/session"
)

// Start begins a session; the test ends where that fails.
func Start(t testing.TB, m *session.Manager, in session.Start) (session.Ticket, *session.Session) {
	t.Helper()
	ticket, s, err := m.Start(context.Background(), in)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	return ticket, s
}

// Find finds the session of a ticket at the frontend "shop"; the test ends where there is
// none.
func Find(t testing.TB, m *session.Manager, ticket session.Ticket) *session.Session {
	t.Helper()
	s, err := m.Find(context.Background(), "shop", ticket)
	if err != nil {
		t.Fatalf("find: %v", err)
	}
	return s
}

// Ended asserts that the ticket opens nothing at a frontend, for this reason.
func Ended(t testing.TB, m *session.Manager, frontend string, ticket session.Ticket, why session.Reason) {
	t.Helper()
	s, err := m.Find(context.Background(), frontend, ticket)
	var ended session.EndedError
	if s != nil || !errors.As(err, &ended) || ended.Reason != why {
		t.Fatalf("find: got %v, %v; want EndedError with reason %q", s, err, why)
	}
}
