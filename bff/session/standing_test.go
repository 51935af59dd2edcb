package session_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/ticket"
)

// standing makes a replica's manager of records that are no sessions.
func (p *place) standing(change ...func(*session.Options)) *session.Manager {
	return p.manager(append([]func(*session.Options){func(o *session.Options) {
		o.Kind, o.NearCache, o.IdleTimeout, o.MaxLifetime = "sa", time.Second, time.Hour, time.Hour
	}}, change...)...)
}

func standingTicket(t testing.TB) session.Ticket {
	t.Helper()
	found, ok := ticket.Parse([]byte("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))
	if !ok {
		t.Fatal("not a ticket")
	}
	return found
}

// TestBeginTogether: replicas that begin a record at once agree on one, and its first
// credential is asked for once.
func TestBeginTogether(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		ticket, asked := standingTicket(t), new(atomic.Int64)
		replicas := []*session.Manager{p.standing(), p.standing(), p.standing()}
		var work sync.WaitGroup
		for i := range 60 {
			m := replicas[i%len(replicas)]
			work.Go(func() {
				s, err := m.Begin(context.Background(), "api/robot", ticket)
				for errors.Is(err, store.ErrUnavailable) { // a busy machine
					s, err = m.Begin(context.Background(), "api/robot", ticket)
				}
				if err != nil {
					t.Error(err)
					return
				}
				if !s.Credential.Value(credential.AccessToken).IsEmpty() {
					return // it was renewed already
				}
				ask := func(context.Context, *credential.Credential) (*credential.Credential, error) {
					asked.Add(1)
					return tokens("access", "refresh"), nil
				}
				begun := s
				s, err = m.Refresh(context.Background(), begun, ticket, time.Minute, ask)
				for errors.Is(err, store.ErrUnavailable) {
					s, err = m.Refresh(context.Background(), begun, ticket, time.Minute, ask)
				}
				if err != nil || s.Credential.Value(credential.AccessToken).Reveal() != "access" {
					t.Errorf("%v %v", s, err)
				}
			})
		}
		work.Wait()
		if n := asked.Load(); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

// TestBeginAgain: a record that is over can be begun anew under the same ticket, which no
// session can.
func TestBeginAgain(t *testing.T) {
	p := memoryPlace(t)
	m, other := p.standing(), p.standing()
	ticket := standingTicket(t)
	first, err := m.Begin(context.Background(), "api/robot", ticket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.End(context.Background(), "api/robot", ticket, session.Revoked); err != nil {
		t.Fatal(err)
	}
	var ended session.EndedError
	if _, err := other.Peek(context.Background(), "api/robot", ticket); !errors.As(err, &ended) {
		t.Errorf("after its end: %v", err)
	}
	for _, m := range []*session.Manager{m, other} {
		again, err := m.Begin(context.Background(), "api/robot", ticket)
		if err != nil || again.ID == first.ID {
			t.Errorf("anew: %v", err)
		}
	}
	p.Clock.Advance(2 * time.Hour)
	if _, err := m.Peek(context.Background(), "api/robot", ticket); !errors.As(err, &ended) {
		t.Errorf("after its life: %v", err)
	}
	if _, err := m.Begin(context.Background(), "api/robot", ticket); err != nil {
		t.Error(err)
	}
}

// TestKindsAreApart: a ticket of one kind opens nothing of another, and the events of one
// are not heard by another.
func TestKindsAreApart(t *testing.T) {
	p := memoryPlace(t)
	people, accounts := p.manager(), p.standing()
	ticket := standingTicket(t)
	if _, err := accounts.Begin(context.Background(), "app", ticket); err != nil {
		t.Fatal(err)
	}
	var ended session.EndedError
	if _, err := people.Find(context.Background(), "app", ticket); !errors.As(err, &ended) {
		t.Errorf("a session: %v", err)
	}
	heard := make(chan session.Reason, 1)
	stop := people.Watch(ticket, func(why session.Reason) { heard <- why })
	defer stop()
	if _, err := accounts.End(context.Background(), "app", ticket, session.Revoked); err != nil {
		t.Fatal(err)
	}
	select { // a store in memory hands events over before End returns
	case why := <-heard:
		t.Errorf("people's sessions heard: %s", why)
	default:
	}
}
