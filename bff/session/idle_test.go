package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
)

// The fear: a session lives longer than it may, or shorter than it should.
func TestIdleAndMaximumLifetime(t *testing.T) {
	ctx := context.Background()
	for _, near := range []time.Duration{0, 5 * time.Second} {
		p := memoryPlace(t)
		m := p.manager(func(o *session.Options) {
			o.IdleTimeout, o.MaxLifetime, o.NearCache = 10*time.Minute, time.Hour, near
		})
		idle, _ := start(t, m, ann("shop"))
		busy, s := start(t, m, ann("shop"))
		for i := range 7 {
			p.Clock.Advance(9 * time.Minute)
			if i < 6 {
				s = find(t, m, busy)
			}
		}
		if left := m.Left(s); left != 0 {
			t.Errorf("left after 63 minutes: %v", left)
		}
		dead(t, m, "shop", idle, session.Expired)
		dead(t, m, "shop", busy, session.Expired) // used all the time, but an hour old
		if _, err := m.Extend(ctx, "shop", busy); err == nil {
			t.Error("extended beyond its end")
		}
	}
}

func TestIdleEndIsExact(t *testing.T) {
	for _, near := range []time.Duration{0, 5 * time.Second} {
		p := memoryPlace(t)
		m := p.manager(func(o *session.Options) { o.IdleTimeout, o.NearCache = 10*time.Minute, near })
		ticket, _ := start(t, m, ann("shop"))
		p.Clock.Advance(10*time.Minute - 2*time.Second)
		s, err := m.Peek(context.Background(), "shop", ticket)
		if err != nil || m.IdleLeft(s) != 2*time.Second {
			t.Fatalf("look: %v; idle left %v", err, m.IdleLeft(s))
		}
		p.Clock.Advance(2 * time.Second)
		dead(t, m, "shop", ticket, session.Expired)
	}
}

// Looking extends nothing; a call does; a page's "still there" always does.
func TestWhatExtends(t *testing.T) {
	ctx := context.Background()
	p := memoryPlace(t)
	m := p.manager(func(o *session.Options) { o.IdleTimeout, o.NearCache = 30*time.Minute, time.Second })
	ticket, _ := start(t, m, ann("shop"))
	p.Clock.Advance(20 * time.Minute)
	s, err := m.Peek(ctx, "shop", ticket)
	if err != nil || m.IdleLeft(s) != 10*time.Minute {
		t.Fatalf("look: %v, idle left %v", err, m.IdleLeft(s))
	}
	if s = find(t, m, ticket); m.IdleLeft(s) != 30*time.Minute {
		t.Fatalf("find: idle left %v", m.IdleLeft(s))
	}
	p.Clock.Advance(59 * time.Second)
	if s = find(t, m, ticket); m.IdleLeft(s) != 29*time.Minute+time.Second {
		t.Fatalf("a second write within the minute: idle left %v", m.IdleLeft(s))
	}
	if s, err = m.Extend(ctx, "shop", ticket); err != nil || m.IdleLeft(s) != 30*time.Minute {
		t.Fatalf("extend: %v, idle left %v", err, m.IdleLeft(s))
	}
	if n := m.Stats().Touches; n != 2 {
		t.Fatalf("%d writes, want 2", n)
	}
	if s.Generation != 1 {
		t.Fatalf("generation %d: an extension is no new credential", s.Generation)
	}
}

// With a short idle time extensions are written once in a tenth of it.
func TestExtensionsOfAShortIdleTime(t *testing.T) {
	p := memoryPlace(t)
	m := p.manager(func(o *session.Options) { o.IdleTimeout = 20 * time.Second })
	ticket, _ := start(t, m, ann("shop"))
	for range 40 {
		p.Clock.Advance(500 * time.Millisecond)
		find(t, m, ticket)
	}
	if n := m.Stats().Touches; n != 10 {
		t.Fatalf("%d writes in 20 s, want 10", n)
	}
}

// A failed refresh extends nothing, and neither does one that works.
func TestRefreshExtendsNothing(t *testing.T) {
	p := memoryPlace(t)
	m := p.manager()
	ticket, s := start(t, m, ann("shop"))
	p.Clock.Advance(10 * time.Minute)
	_, err := m.Refresh(context.Background(), s, ticket, time.Minute, func(context.Context, *credential.Credential) (*credential.Credential, error) {
		return nil, errors.New("unreachable")
	})
	if err == nil {
		t.Fatal("no error")
	}
	p.Clock.Advance(2 * time.Second)
	s, err = m.Refresh(context.Background(), s, ticket, time.Minute, func(context.Context, *credential.Credential) (*credential.Credential, error) {
		return tokens("access-2", ""), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if left := m.IdleLeft(s); left != 20*time.Minute-2*time.Second {
		t.Fatalf("idle left %v", left)
	}
}

// Without a refresh token the session ends with its token.
func TestSessionEndsWithItsToken(t *testing.T) {
	p := memoryPlace(t)
	m := p.manager()
	for name, c := range map[string]struct {
		refresh bool
		want    time.Duration
	}{"refreshed": {true, 12 * time.Hour}, "not refreshed": {false, time.Hour}} {
		in := ann("shop")
		in.RefreshAble = c.refresh
		in.Credential = credential.New(in.Credential.Values(), p.Clock.Now().Add(time.Hour), time.Time{})
		_, s := start(t, m, in)
		if left := m.Left(s); (c.want - left).Abs() > time.Second {
			t.Errorf("%s: left %v", name, left)
		}
	}
	in := ann("shop")
	in.RefreshAble = false
	in.Credential = credential.New(in.Credential.Values(), p.Clock.Now().Add(-time.Second), time.Time{})
	if _, _, err := m.Start(context.Background(), in); err == nil {
		t.Error("a session began with a dead token")
	}
}

// Redis's own clock and times to live decide there.
func TestIdleInRedis(t *testing.T) {
	t.Parallel()
	for _, near := range []time.Duration{0, time.Second} {
		t.Run(near.String(), func(t *testing.T) {
			t.Parallel()
			p := redisPlace(t, startServer(t))
			idleInRedis(t, p.manager(func(o *session.Options) { o.IdleTimeout, o.NearCache = redisIdle, near }))
		})
	}
}

const redisIdle = 1500 * time.Millisecond

func idleInRedis(t *testing.T, m *session.Manager) {
	t.Helper()
	idle, _ := start(t, m, ann("shop"))
	busy := livesByCalls(t, m)
	for what, ticket := range map[string]session.Ticket{"the idle session ends": idle, "the other one ends as well": busy} {
		eventually(t, what, func() bool {
			_, err := m.Peek(context.Background(), "shop", ticket)
			return errors.As(err, &session.EndedError{})
		})
	}
}

// livesByCalls returns a session that lived for longer than its idle time, by calls. One
// that ended while a busy machine made no call for nearly as long proves nothing: then
// another is taken.
func livesByCalls(t *testing.T, m *session.Manager) session.Ticket {
	t.Helper()
	for {
		ticket, _ := start(t, m, ann("shop"))
		begun, last, longest := time.Now(), time.Now(), time.Duration(0)
		var err error
		for err == nil && time.Since(begun) < 2*redisIdle {
			time.Sleep(25 * time.Millisecond) // a pace, not a wait: slower only means another try
			before := time.Now()
			_, err = m.Find(context.Background(), "shop", ticket)
			longest, last = max(longest, time.Since(last)), before
		}
		if err == nil {
			return ticket
		}
		// An extension may be held back by a tenth of the idle time.
		if !errors.As(err, &session.EndedError{}) || longest < redisIdle*4/5 {
			t.Fatalf("find: %v; the longest silence was %v", err, longest)
		}
	}
}
