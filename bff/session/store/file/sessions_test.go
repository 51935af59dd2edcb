package file_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"runtime"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/bff/session/sessiontest"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/store/storetest"
)

// manager keeps sessions in s, so that the file holds what it holds in service.
func manager(t testing.TB, s store.Store, c *storetest.Clock) *session.Manager {
	t.Helper()
	o := session.Options{Keys: []credential.Secret{credential.NewSecret("a-key-of-the-tests-0123456789abcdef")}}
	if c != nil {
		o.Now = c.Now
	}
	m, err := session.NewManager(s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

func tokens() *credential.Credential {
	return credential.New(map[string]credential.Secret{credential.AccessToken: credential.NewSecret("access")}, time.Time{}, time.Time{})
}

func ann() session.Start {
	return session.Start{Frontend: "shop", Subject: "ann@example.com", Credential: tokens(), RefreshAble: true, UserAgent: "Browser/1"}
}

// What the tests of sessions do again and again.
var start, find, dead = sessiontest.Start, sessiontest.Find, sessiontest.Ended

func list(t testing.TB, m *session.Manager) []session.Entry {
	t.Helper()
	entries, err := m.List(context.Background(), "shop", "ann@example.com")
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// storeKey is where the contract says that a ticket's record lies.
func storeKey(ticket session.Ticket) string {
	sum := sha256.Sum256([]byte("coatcheck/v1/key" + ticket.Reveal()))
	return "coatcheck:s:{" + hex.EncodeToString(sum[:]) + "}"
}

// heap is what the program's living objects take, in bytes.
func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC() // what finalizers let go of
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
