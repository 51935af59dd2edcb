package session_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
)

var (
	keyA = credential.NewSecret("a-key-of-the-tests-0123456789abcdef")
	keyB = credential.NewSecret("b-key-of-the-tests-0123456789abcdef")
	keyC = credential.NewSecret("c-key-of-the-tests-0123456789abcdef")
)

// place is one kind of store under test. Every Store that open returns lies over
// the same bytes, as replicas' stores do.
type place struct {
	t     testing.TB
	open  func() session.Store
	redis *server // nil if it is none
	clock *clock  // nil if time cannot be set
}

// eachStore runs a test over every kind of store.
func eachStore(t *testing.T, test func(t *testing.T, p *place)) {
	t.Run("memory", func(t *testing.T) { test(t, memoryPlace(t)) })
	t.Run("file", func(t *testing.T) { test(t, filePlace(t)) })
	t.Run("redis", func(t *testing.T) { test(t, redisPlace(t, startServer(t))) })
}

func memoryPlace(t testing.TB) *place {
	c := &clock{at: time.Now().Truncate(time.Millisecond)} // what a store keeps
	store := openStore(t, "memory://", c)
	t.Cleanup(func() { _ = store.Close() })
	return &place{t: t, clock: c, open: func() session.Store { return shared{store} }}
}

func filePlace(t testing.TB) *place {
	c := &clock{at: time.Now().Truncate(time.Millisecond)}
	store := openStore(t, "file://"+filepath.Join(t.TempDir(), "sessions.db"), c)
	t.Cleanup(func() { _ = store.Close() })
	return &place{t: t, clock: c, open: func() session.Store { return shared{store} }}
}

func redisPlace(t testing.TB, s *server) *place {
	return &place{t: t, redis: s, open: func() session.Store { return openStore(t, s.url(), nil) }}
}

func openStore(t testing.TB, url string, c *clock) session.Store {
	t.Helper()
	o := session.StoreOptions{}
	if c != nil {
		o.Now = c.now
	}
	store, err := session.OpenStore(credential.NewSecret(url), o)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// shared is a store in this process that several managers use: the first to
// close must not close it for all.
type shared struct{ session.Store }

func (shared) Close() error { return nil }

// manager makes one replica.
func (p *place) manager(change ...func(*session.Options)) *session.Manager {
	p.t.Helper()
	return p.over(p.open(), change...)
}

func (p *place) over(store session.Store, change ...func(*session.Options)) *session.Manager {
	p.t.Helper()
	o := session.Options{Keys: []credential.Secret{keyA}}
	if p.clock != nil {
		o.Now = p.clock.now
	}
	for _, f := range change {
		f(&o)
	}
	m, err := session.NewManager(store, o)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = m.Close() })
	return m
}

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// logged is where a replica's log lines go.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logged) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

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

func start(t testing.TB, m *session.Manager, in session.Start) (session.Ticket, *session.Session) {
	t.Helper()
	ticket, s, err := m.Start(context.Background(), in)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	return ticket, s
}

func find(t testing.TB, m *session.Manager, ticket session.Ticket) *session.Session {
	t.Helper()
	s, err := m.Find(context.Background(), "shop", ticket)
	if err != nil {
		t.Fatalf("find: %v", err)
	}
	return s
}

// dead asserts that the ticket opens nothing, for this reason.
func dead(t testing.TB, m *session.Manager, frontend string, ticket session.Ticket, why session.Reason) {
	t.Helper()
	s, err := m.Find(context.Background(), frontend, ticket)
	var d session.Dead
	if s != nil || !errors.As(err, &d) || d.Reason != why {
		t.Fatalf("find: got %v, %v; want Dead with reason %q", s, err, why)
	}
}

// storeKey is where the contract says that a ticket's record lies.
func storeKey(ticket session.Ticket) string {
	sum := sha256.Sum256([]byte("coatcheck/v1/key" + ticket.Reveal()))
	return "coatcheck:s:{" + hex.EncodeToString(sum[:]) + "}"
}

func load(t testing.TB, p *place, key string) []byte {
	t.Helper()
	store := p.open()
	defer store.Close()
	value, err := store.Load(context.Background(), key)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(value)
}

func put(t testing.TB, p *place, key string, value []byte) {
	t.Helper()
	store := p.open()
	defer store.Close()
	if err := store.Create(context.Background(), key, value, time.Hour); err != nil {
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
