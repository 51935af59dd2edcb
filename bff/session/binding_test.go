package session_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/session"
	"coatcheck/bff/session/ticket"
)

// The fear: a ticket opens more than the one session it was made for.
func TestTicketBelongsToOneFrontend(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		ctx := context.Background()
		for _, near := range []time.Duration{0, 5 * time.Second} {
			m := p.manager(func(o *session.Options) { o.NearCache = near })
			ticket, _ := start(t, m, ann("shop"))
			find(t, m, ticket)
			dead(t, m, "admin", ticket, session.Expired)
			dead(t, m, "sho", ticket, session.Expired)
			dead(t, m, "", ticket, session.Expired)
			if s, err := m.Extend(ctx, "admin", ticket); s != nil || err == nil {
				t.Fatalf("extend: %v, %v", s, err)
			}
			if s, err := m.End(ctx, "admin", ticket, session.SignedOut); s != nil || err != nil {
				t.Fatalf("end at another frontend: %v, %v", s, err)
			}
			find(t, m, ticket)
		}
	})
}

// A person of one frontend is another person at another.
func TestPersonBelongsToOneFrontend(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		ctx := context.Background()
		m := p.manager()
		ticket, s := start(t, m, ann("shop"))
		_, other := start(t, m, ann("admin"))
		if entries, err := m.List(ctx, "shop", s.Subject); err != nil || len(entries) != 1 || entries[0].ID != s.ID {
			t.Fatalf("list: %v, %v", entries, err)
		}
		if err := m.EndOne(ctx, "shop", s.Subject, other.ID); err != session.ErrNotFound {
			t.Fatalf("ending the other frontend's: %v", err)
		}
		if err := m.EndOne(ctx, "shop", "bob@example.com", s.ID); err != session.ErrNotFound {
			t.Fatalf("ending another person's: %v", err)
		}
		if n, err := m.EndAll(ctx, "admin", s.Subject); n != 1 || err != nil {
			t.Fatalf("end all: %d, %v", n, err)
		}
		find(t, m, ticket)
	})
}

// A record that was moved to another ticket's key does not open there.
func TestMovedRecordDoesNotOpen(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		var lines logged
		m := p.manager(func(o *session.Options) { o.Log = lines.Logger() })
		victim, _ := start(t, m, ann("shop"))
		mallory, _ := start(t, m, session.Start{Frontend: "shop", Subject: "mallory", Credential: tokens("x", "y"), RefreshAble: true})
		put(t, p, storeKey(mallory), load(t, p, storeKey(victim)))
		dead(t, m, "shop", mallory, session.Expired)
		if load(t, p, storeKey(mallory)) != nil {
			t.Fatal("the moved record was not deleted")
		}
		find(t, m, victim)
		if !strings.Contains(lines.String(), "record_corrupt") {
			t.Fatalf("no security event in: %s", lines.String())
		}
	})
}

func TestUnknownTicket(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		m := p.manager()
		ticket, _ := ticket.Parse([]byte(strings.Repeat("A", 43)))
		dead(t, m, "shop", ticket, session.Expired)
		dead(t, m, "shop", session.Ticket{}, session.Expired)
		if s, err := m.End(context.Background(), "shop", session.Ticket{}, session.SignedOut); s != nil || err != nil {
			t.Fatalf("end: %v, %v", s, err)
		}
	})
}
