package session_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store/open"
)

// watching counts what a stream is told.
func watching(m *session.Manager, ticket session.Ticket) (told chan session.Reason, stop func()) {
	told = make(chan session.Reason, 10)
	return told, m.Watch(ticket, func(why session.Reason) { told <- why })
}

// The fear: a stream of a signed-out person runs on.
func TestStreamsEndWithTheSession(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		a, b := p.manager(), p.manager()
		heard(t, a, b)
		heard(t, b, a)
		ticket, s := start(t, a, ann("shop"))
		here, _ := watching(a, ticket)
		there, _ := watching(b, ticket)
		stopped, stop := watching(b, ticket)
		stop()
		stop()
		if n := b.Stats().Watched; n != 1 {
			t.Fatalf("%d sessions watched", n)
		}
		if err := b.EndOne(context.Background(), "shop", s.Subject, s.ID); err != nil {
			t.Fatal(err)
		}
		for name, told := range map[string]chan session.Reason{"here": here, "there": there} {
			if why := <-told; why != session.Revoked {
				t.Errorf("%s: %q", name, why)
			}
		}
		late, _ := watching(a, ticket) // begun between Find and the end
		if why := <-late; why != session.Revoked {
			t.Errorf("late: %q", why)
		}
		if _, err := a.End(context.Background(), "shop", ticket, session.SignedOut); err != nil {
			t.Fatal(err)
		}
		for name, told := range map[string]chan session.Reason{"here": here, "there": there, "late": late, "stopped": stopped} {
			if len(told) != 0 {
				t.Errorf("%s was told again, or after it had stopped", name)
			}
		}
		if n := b.Stats().Watched; n != 0 {
			t.Errorf("%d sessions still watched", n)
		}
	})
}

// No message comes when a session runs out, or when the message was lost.
func TestStreamsEndWithoutAMessage(t *testing.T) {
	t.Parallel()
	t.Run("expiry", func(t *testing.T) {
		t.Parallel()
		p := memoryPlace(t)
		m := p.manager()
		ticket, _ := start(t, m, ann("shop"))
		told, _ := watching(m, ticket)
		p.Clock.Advance(31 * time.Minute)
		if why := <-told; why != session.Expired {
			t.Errorf("%q", why)
		}
	})
	t.Run("lost message", func(t *testing.T) {
		t.Parallel()
		p := redisPlace(t, startServer(t))
		a := p.over(deafStore{p.Open()})
		ticket, _ := start(t, a, ann("shop"))
		living, _ := start(t, a, ann("shop"))
		told, _ := watching(a, ticket)
		runs, _ := watching(a, living)
		if _, err := p.manager().End(context.Background(), "shop", ticket, session.SignedOut); err != nil {
			t.Fatal(err)
		}
		if why := <-told; why != session.SignedOut {
			t.Errorf("%q", why)
		}
		if len(runs) != 0 {
			t.Error("a living session's stream was ended")
		}
	})
	t.Run("store away", func(t *testing.T) {
		t.Parallel()
		s := startServer(t, "--appendonly", "yes", "--appendfsync", "no")
		p := redisPlace(t, s)
		var looked atomic.Int32 // in vain, for the sessions that are watched
		st, err := open.Store(credential.NewSecret(s.URL()), open.Options{Timeout: time.Minute,
			Observe: func(operation string, _ time.Duration, failed bool) {
				if operation == "seen" && failed {
					looked.Add(1)
				}
			}})
		if err != nil {
			t.Fatal(err)
		}
		m := p.over(st)
		ticket, _ := start(t, m, ann("shop"))
		told, _ := watching(m, ticket)
		s.Kill()
		eventually(t, "a look falls into the absence", func() bool { return looked.Load() > 0 })
		s.Start()
		eventually(t, "the manager finds its store", func() bool { return m.Ping(context.Background()) == nil })
		find(t, m, ticket)
		if len(told) != 0 {
			t.Error("a stream was ended because the store was away")
		}
	})
}
