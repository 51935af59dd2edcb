package session_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
)

// The fear: a replica that lacks the sealing key says that a session has ended, and it
// lives on at the others.
func TestEndWithoutTheKey(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		ctx := context.Background()
		owner, stranger := p.manager(keys(keyA)), p.manager(keys(keyC))
		ticket, _ := start(t, owner, ann("shop"))
		for range 2 {
			if s, err := stranger.End(ctx, "shop", ticket, session.SignedOut); s != nil || !errors.Is(err, store.ErrUnavailable) {
				t.Fatalf("end without the key: %v, %v", s, err)
			}
		}
		find(t, owner, ticket)
		if s, err := owner.End(ctx, "shop", ticket, session.SignedOut); s == nil || err != nil {
			t.Fatalf("end: %v, %v", s, err)
		}
		if s, err := stranger.End(ctx, "shop", ticket, session.SignedOut); s != nil || err != nil {
			t.Fatalf("end of what has ended: %v, %v", s, err)
		}
	})
}

// The fear: a sign-out at a replica for which the session is idle too long leaves it
// alive at one with another idle time.
func TestEndOfWhatOthersHoldAlive(t *testing.T) {
	p := memoryPlace(t)
	long := p.manager(func(o *session.Options) { o.IdleTimeout = time.Hour })
	short := p.manager(func(o *session.Options) { o.IdleTimeout = time.Minute })
	ticket, _ := start(t, long, ann("shop"))
	p.Clock.Advance(2 * time.Minute)
	if s, err := short.End(context.Background(), "shop", ticket, session.SignedOut); s == nil || err != nil {
		t.Fatalf("end: %v, %v", s, err)
	}
	dead(t, long, "shop", ticket, session.SignedOut)
}

// swapped is a store in which the record changes between the look and the removal.
type swapped struct {
	store.Store
	value []byte
}

func (s swapped) Remove(ctx context.Context, key string, r store.Removal) ([]byte, store.Outcome, error) {
	_, outcome, err := s.Store.Remove(ctx, key, r)
	return s.value, outcome, err
}

// A removed record that does not open is an event: the API cannot be told.
func TestRemovedRecordThatDoesNotOpen(t *testing.T) {
	var lines logged
	p := memoryPlace(t)
	m := p.over(swapped{p.Open(), []byte("no record")}, func(o *session.Options) { o.Log = lines.Logger() })
	ticket, _ := start(t, m, ann("shop"))
	if s, err := m.End(context.Background(), "shop", ticket, session.SignedOut); s != nil || err != nil {
		t.Fatalf("end: %v, %v", s, err)
	}
	if !strings.Contains(lines.String(), `"event":"removed_record_unreadable"`) {
		t.Fatalf("no event: %s", lines.String())
	}
	dead(t, m, "shop", ticket, session.SignedOut)
}

// What Start says when it begins nothing.
func TestStartErrors(t *testing.T) {
	p := memoryPlace(t)
	m := p.manager()
	in := ann("shop")
	in.RefreshAble = false
	in.Credential = credential.New(map[string]credential.Secret{credential.AccessToken: credential.NewSecret("a")}, p.Clock.Now().Add(-time.Second), time.Time{})
	if _, _, err := m.Start(context.Background(), in); !errors.Is(err, session.ErrTokenEnded) || errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a token that has ended: %v", err)
	}
	in.RefreshAble = true
	start(t, m, in) // it will be renewed before the first call
}

// The fear: a flood of one kind of event hides another kind, or its own size.
func TestEventsOfEachKindAreTold(t *testing.T) {
	p := memoryPlace(t)
	var lines logged
	m := p.manager(func(o *session.Options) { o.Log = lines.Logger() })
	ticket, _ := start(t, m, ann("shop"))
	corrupt := func() {
		other, _ := start(t, m, ann("shop"))
		put(t, p, storeKey(other), []byte("no record"))
		dead(t, m, "shop", other, session.Expired)
	}
	for range 5 {
		dead(t, m, "admin", ticket, session.Expired)
		corrupt()
	}
	dead(t, p.manager(keys(keyC), func(o *session.Options) { o.Log = lines.Logger() }), "shop", ticket, session.Expired)
	for _, event := range []string{`"event":"ticket_of_another_frontend"`, `"event":"record_corrupt"`, "not in sessions.keys"} {
		if n := strings.Count(lines.String(), event); n != 1 {
			t.Errorf("%s: %d lines in one second", event, n)
		}
	}
	p.Clock.Advance(time.Second)
	dead(t, m, "admin", ticket, session.Expired)
	if !strings.Contains(lines.String(), `"withheld":4`) {
		t.Errorf("the rest is not counted: %s", lines.String())
	}
	// Nobody comes any more: the rest of the other kind is told all the same.
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(lines.String(), `"withheld":4`); n != 2 {
		t.Errorf("%d kinds told how many were withheld: %s", n, lines.String())
	}
}
