// Package storetest tests stores: one suite for every backend, and the places that it and
// other tests run in.
package storetest

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/store/open"
)

// Place is one kind of store under test. Every Store that Open returns lies over the same
// bytes, as replicas' stores do, and may be closed alone.
type Place struct {
	Open  func() store.Store // a store of the place
	Clock *Clock             // nil if time cannot be set
	Redis *Redis             // nil if it is none
}

// Each runs a test over every kind of store.
func Each(t *testing.T, test func(t *testing.T, p *Place)) {
	t.Run("memory", func(t *testing.T) { test(t, Memory(t)) })
	t.Run("file", func(t *testing.T) { test(t, File(t)) })
	t.Run("redis", func(t *testing.T) { test(t, OfRedis(t, StartRedis(t))) })
}

// Memory is a store in memory whose time can be set.
func Memory(t testing.TB) *Place { return inProcess(t, "memory://") }

// File is a store in a file whose time can be set.
func File(t testing.TB) *Place {
	return inProcess(t, "file://"+filepath.Join(t.TempDir(), "sessions.db"))
}

// OfRedis is stores over one server.
func OfRedis(t testing.TB, s *Redis) *Place {
	return &Place{Redis: s, Open: func() store.Store { return Open(t, s.URL(), nil) }}
}

func inProcess(t testing.TB, url string) *Place {
	c := &Clock{at: time.Now().Truncate(time.Millisecond)} // what a store keeps
	one := Open(t, url, c)
	t.Cleanup(func() { _ = one.Close() })
	return &Place{Clock: c, Open: func() store.Store { return Shared{one} }}
}

// Open opens a store, under a clock of the test's or nil for the real one. A Redis may take
// a minute for an answer: a busy machine must not make it one that is away.
func Open(t testing.TB, url string, c *Clock) store.Store {
	t.Helper()
	o := open.Options{Timeout: time.Minute}
	if c != nil {
		o.Now = c.Now
	}
	s, err := open.Store(credential.NewSecret(url), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Shared is a store in this process that several users have: the first to close must not
// close it for all.
type Shared struct{ store.Store }

// Close does nothing.
func (Shared) Close() error { return nil }

// LongLeases is a Redis whose leases end only when they are given back, or after minutes: a
// machine that stands still for three seconds must not take them from their holder.
type LongLeases struct{ store.Store }

// Lease is the store's, for five minutes.
func (l LongLeases) Lease(ctx context.Context, key, owner string, _ time.Duration) (bool, []byte, error) {
	return l.Store.Lease(ctx, key, owner, 5*time.Minute)
}

// Clock is a clock that tests move.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock is a clock at the given time.
func NewClock(at time.Time) *Clock { return &Clock{at: at} }

// Now is its time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Advance moves it.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// Eventually waits for a condition, two minutes at most: only what never happens may
// fail, however busy the machine is.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for limit := time.Now().Add(2 * time.Minute); time.Now().Before(limit); time.Sleep(5 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("did not happen: %s", what)
}

// Log is where log lines go.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write takes a line.
func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

// String is all lines so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Logger writes JSON lines of every level to it.
func (l *Log) Logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
