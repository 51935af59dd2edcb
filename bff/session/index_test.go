package session_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"coatcheck/bff/session"
)

func list(t testing.TB, m *session.Manager) []session.Entry {
	t.Helper()
	entries, err := m.List(context.Background(), "shop", "ann@example.com")
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestListShowsWhatAPersonNeeds(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		m := p.manager()
		in := ann("shop")
		in.UserAgent = strings.Repeat("ü", 200) + "\xff"
		_, first := start(t, m, in)
		_, second := start(t, m, ann("shop"))
		entries, err := m.ListFor(context.Background(), second)
		if err != nil || len(entries) != 2 {
			t.Fatalf("list: %v, %v", entries, err)
		}
		for i, s := range []*session.Session{first, second} {
			e := entries[i]
			if e.ID != s.ID && entries[1-i].ID == s.ID {
				e = entries[1-i] // begun in the same millisecond
			}
			if e.ID != s.ID || !e.CreatedAt.Equal(s.Created) || e.Address != "192.0.2.1" || e.Current != (s == second) {
				t.Errorf("entry %d: %+v", i, e)
			}
			if s == first && (len(e.UserAgent) > 256 || len(e.UserAgent) < 254 || !utf8.ValidString(e.UserAgent)) {
				t.Errorf("user agent of %d bytes: %q", len(e.UserAgent), e.UserAgent)
			}
			if e.LastSeenAt.Sub(s.Created).Abs() > time.Minute {
				t.Errorf("last seen: %v", e.LastSeenAt)
			}
		}
	})
}

func TestLastSeenFollowsTheCalls(t *testing.T) {
	p := memoryPlace(t)
	m := p.manager()
	ticket, s := start(t, m, ann("shop"))
	p.Clock.Advance(5 * time.Minute)
	find(t, m, ticket)
	if seen := list(t, m)[0].LastSeenAt.Sub(s.Created); seen != 5*time.Minute {
		t.Fatalf("last seen %v after the start", seen)
	}
}

func TestEndOneAndOthers(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		ctx := context.Background()
		m, other := p.manager(), p.manager()
		mine, s := start(t, m, ann("shop"))
		second, s2 := start(t, other, ann("shop"))
		third, _ := start(t, m, ann("shop"))
		if err := m.EndOne(ctx, "shop", s.Subject, s2.ID); err != nil {
			t.Fatal(err)
		}
		dead(t, other, "shop", second, session.Revoked)
		if err := m.EndOne(ctx, "shop", s.Subject, s2.ID); !errors.Is(err, session.ErrNotFound) {
			t.Fatalf("ending it twice: %v", err)
		}
		if n, err := m.EndOthers(ctx, s); n != 1 || err != nil {
			t.Fatalf("end others: %d, %v", n, err)
		}
		dead(t, m, "shop", third, session.Revoked)
		find(t, m, mine)
		if entries := list(t, m); len(entries) != 1 || entries[0].ID != s.ID {
			t.Fatalf("list: %v", entries)
		}
	})
}

func TestEndAllNeedsBothNames(t *testing.T) {
	p := memoryPlace(t)
	m := p.manager()
	nobody := ann("shop")
	nobody.Subject = ""
	ticket, _ := start(t, m, nobody)
	for _, names := range [][2]string{{"shop", ""}, {"", "ann@example.com"}, {"", ""}} {
		if n, err := m.EndAll(context.Background(), names[0], names[1]); n != 0 || err != nil {
			t.Fatalf("%v: %d, %v", names, n, err)
		}
	}
	find(t, m, ticket)
}

// The fear: more sessions than allowed, because they began at one instant.
func TestLimitPerPersonHoldsUnderParallelSignIns(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		three := func(o *session.Options) { o.MaxPerPerson = 3 }
		replicas := []*session.Manager{p.manager(three), p.manager(three)}
		var mu sync.Mutex
		var tickets []session.Ticket
		var signIns sync.WaitGroup
		for i := range 20 {
			signIns.Go(func() {
				ticket, _, err := replicas[i%2].Start(context.Background(), ann("shop"))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				tickets = append(tickets, ticket)
				mu.Unlock()
			})
		}
		signIns.Wait()
		alive := 0
		for _, ticket := range tickets {
			if _, err := p.manager().Find(context.Background(), "shop", ticket); err == nil {
				alive++
			}
		}
		if alive != 3 || len(list(t, replicas[0])) != 3 {
			t.Fatalf("%d sessions live and %d are listed, want 3", alive, len(list(t, replicas[0])))
		}
	})
}

func TestTheOldestEnds(t *testing.T) {
	p := memoryPlace(t)
	m := p.manager(func(o *session.Options) { o.MaxPerPerson, o.IdleTimeout = 2, time.Hour })
	first, _ := start(t, m, ann("shop"))
	p.Clock.Advance(time.Second)
	second, _ := start(t, m, ann("shop"))
	p.Clock.Advance(59 * time.Minute)
	find(t, m, first) // the second idles out, so there is room for a third
	p.Clock.Advance(2 * time.Minute)
	third, _ := start(t, m, ann("shop"))
	find(t, m, first)
	dead(t, m, "shop", second, session.Expired)
	p.Clock.Advance(time.Second)
	start(t, m, ann("shop"))
	dead(t, m, "shop", first, session.Revoked)
	find(t, m, third)
	if _, err := m.EndAll(context.Background(), "shop", "bob@example.com"); err != nil {
		t.Fatal(err)
	}
	find(t, m, third)
}

// The fear: the list and the sessions drift apart.
func TestIndexHeals(t *testing.T) {
	s := startServer(t)
	p := redisPlace(t, s)
	raw := s.raw()
	defer raw.Close()
	ctx := context.Background()
	m := p.manager(func(o *session.Options) { o.IdleTimeout = 30 * time.Second })
	gone, _ := start(t, m, ann("shop"))
	kept, keptSession := start(t, m, ann("shop"))
	raw.Del(ctx, storeKey(gone)) // evicted
	if entries := list(t, m); len(entries) != 1 || entries[0].ID != keptSession.ID {
		t.Fatalf("list: %v", entries)
	}
	index := raw.Keys(ctx, "coatcheck:p:*").Val()[0]
	if n := raw.HLen(ctx, index).Val(); n != 1 {
		t.Fatalf("%d entries in the index, want 1", n)
	}
	raw.Del(ctx, index) // evicted as well
	if _, err := m.Extend(ctx, "shop", kept); err != nil {
		t.Fatal(err)
	}
	if entries := list(t, m); len(entries) != 1 || entries[0].ID != keptSession.ID || !entries[0].CreatedAt.Equal(keptSession.Created) {
		t.Fatalf("list after the index was lost: %v", entries)
	}
	raw.Del(ctx, index)
	entries, err := m.ListFor(ctx, keptSession)
	if err != nil || len(entries) != 1 || !entries[0].Current {
		t.Fatalf("own list after the index was lost: %v, %v", entries, err)
	}
}

// An index that nobody lists does not grow forever.
func TestIndexOfARobotStaysSmall(t *testing.T) {
	s := startServer(t)
	p := redisPlace(t, s)
	raw := s.raw()
	defer raw.Close()
	m := p.manager()
	for range 200 {
		ticket, _ := start(t, m, ann("shop"))
		raw.Del(context.Background(), storeKey(ticket))
	}
	index := raw.Keys(context.Background(), "coatcheck:p:*").Val()[0]
	if n := raw.HLen(context.Background(), index).Val(); n > 32 {
		t.Fatalf("%d entries", n)
	}
}
