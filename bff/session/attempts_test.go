package session_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"coatcheck/bff/session"
	"coatcheck/bff/throttle"
)

var (
	home    = netip.MustParseAddr("192.0.2.1")
	abroad  = netip.MustParseAddr("203.0.113.7")
	tenOf5m = throttle.Limits{Account: 10, Address: 100, Window: 5 * time.Minute}
)

// throttleOf counts sign-ins beside m's sessions, as the program does.
func throttleOf(m *session.Manager) throttle.Throttle {
	return throttle.New(m.Vault().Counters(), m.Vault().Keys)
}

func attempt(t testing.TB, m *session.Manager, account string, from netip.Addr, l throttle.Limits) *throttle.Attempt {
	t.Helper()
	a, err := throttleOf(m).Attempt(context.Background(), "shop", account, from, l)
	if err != nil {
		t.Fatalf("attempt of %s: %v", account, err)
	}
	return a
}

func throttled(t testing.TB, m *session.Manager, account string, from netip.Addr, l throttle.Limits) {
	t.Helper()
	_, err := throttleOf(m).Attempt(context.Background(), "shop", account, from, l)
	var over throttle.ThrottledError
	if !errors.As(err, &over) || over.RetryAfter <= 0 || over.RetryAfter > l.Window {
		t.Fatalf("attempt of %s: %v; want ThrottledError", account, err)
	}
}
