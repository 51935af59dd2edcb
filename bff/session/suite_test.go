package session_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/bff/session/sessiontest"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/store/open"
	"coatcheck/bff/session/store/storetest"
)

var (
	keyA = credential.NewSecret("a-key-of-the-tests-0123456789abcdef")
	keyB = credential.NewSecret("b-key-of-the-tests-0123456789abcdef")
	keyC = credential.NewSecret("c-key-of-the-tests-0123456789abcdef")
)

// place is one kind of store under test, and its managers.
type place struct {
	*storetest.Place
	t testing.TB
}

// eachStore runs a test over every kind of store.
func eachStore(t *testing.T, test func(t *testing.T, p *place)) {
	storetest.Each(t, func(t *testing.T, p *storetest.Place) { test(t, &place{p, t}) })
}

func memoryPlace(t testing.TB) *place { return &place{storetest.Memory(t), t} }

func redisPlace(t testing.TB, s *server) *place { return &place{storetest.OfRedis(t, s.Redis), t} }

// clock is a clock that tests move.
type clock = storetest.Clock

func openStore(t testing.TB, url string, c *clock) store.Store {
	t.Helper()
	return storetest.Open(t, url, c)
}

// hangingStore opens a Redis that will hang in the test: it is away after the program's own
// two seconds.
func hangingStore(t testing.TB, url string) store.Store {
	t.Helper()
	s, err := open.Store(credential.NewSecret(url), open.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// shared is a store in this process that several managers use.
type shared = storetest.Shared

var eventually = storetest.Eventually

// manager makes one replica.
func (p *place) manager(change ...func(*session.Options)) *session.Manager {
	p.t.Helper()
	if p.Clock == nil {
		return p.over(storetest.LongLeases{Store: p.Open()}, change...)
	}
	return p.over(p.Open(), change...)
}

func (p *place) over(st store.Store, change ...func(*session.Options)) *session.Manager {
	p.t.Helper()
	o := session.Options{Keys: []credential.Secret{keyA}}
	if p.Clock != nil {
		o.Now = p.Clock.Now
	}
	for _, f := range change {
		f(&o)
	}
	m, err := session.NewManager(st, o)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = m.Close() })
	return m
}

// logged is where a replica's log lines go.
type logged = storetest.Log

func tokens(access, refresh string) *credential.Credential {
	return credential.New(map[string]credential.Secret{
		credential.AccessToken: credential.NewSecret(access), credential.RefreshToken: credential.NewSecret(refresh),
	}, time.Time{}, time.Time{})
}

func ann(frontend string) session.Start {
	return session.Start{
		Frontend: frontend, Subject: "ann@example.com", User: []byte(`{"name":"Ann"}`),
		Credential: tokens("access-1", "refresh-1"), RefreshAble: true, UserAgent: "Browser/1", Address: "192.0.2.1",
	}
}

// What the tests of sessions do again and again.
var start, find, dead = sessiontest.Start, sessiontest.Find, sessiontest.Ended

// storeKey is where the contract says that a ticket's record lies.
func storeKey(ticket session.Ticket) string {
	sum := sha256.Sum256([]byte("coatcheck/v1/key" + ticket.Reveal()))
	return "coatcheck:s:{" + hex.EncodeToString(sum[:]) + "}"
}

func load(t testing.TB, p *place, key string) []byte {
	t.Helper()
	st := p.Open()
	defer st.Close()
	value, err := st.Load(context.Background(), key)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(value)
}

func put(t testing.TB, p *place, key string, value []byte) {
	t.Helper()
	st := p.Open()
	defer st.Close()
	if _, _, err := st.Remove(context.Background(), key, store.Removal{Reason: "expired"}); err != nil {
		t.Fatal(err)
	}
	if err := st.Create(context.Background(), key, value, time.Hour); err != nil {
		t.Fatal(err)
	}
}

// heard waits until what a does reaches b by a message: both listen.
func heard(t testing.TB, a, b *session.Manager) {
	t.Helper()
	patience := 50 * time.Millisecond // b may not listen yet: then nothing ever comes
	eventually(t, "a message arrives", func() bool {
		ticket, _ := start(t, a, ann("hello"))
		told := make(chan struct{})
		defer b.Watch(ticket, func(session.Reason) { close(told) })()
		if _, err := a.End(context.Background(), "hello", ticket, session.SignedOut); err != nil {
			t.Fatal(err)
		}
		select {
		case <-told:
			return true
		case <-time.After(patience):
			patience *= 2
			return false
		}
	})
}
