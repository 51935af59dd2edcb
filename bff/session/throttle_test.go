package session_test

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/bff/session"
)

var (
	home    = netip.MustParseAddr("192.0.2.1")
	abroad  = netip.MustParseAddr("203.0.113.7")
	tenOf5m = session.Limits{Account: 10, Address: 100, Window: 5 * time.Minute}
)

func attempt(t testing.TB, m *session.Manager, account string, from netip.Addr, l session.Limits) *session.Attempt {
	t.Helper()
	a, err := m.Attempt(context.Background(), "shop", account, from, l)
	if err != nil {
		t.Fatalf("attempt of %s: %v", account, err)
	}
	return a
}

func throttled(t testing.TB, m *session.Manager, account string, from netip.Addr, l session.Limits) time.Duration {
	t.Helper()
	a, err := m.Attempt(context.Background(), "shop", account, from, l)
	var over session.Throttled
	if a != nil || !errors.As(err, &over) || over.RetryAfter <= 0 || over.RetryAfter > l.Window {
		t.Fatalf("attempt of %s: %v, %v; want Throttled", account, a, err)
	}
	return over.RetryAfter
}

// The fear: guesses that come all at once are all let through.
func TestGuessesAtOneInstantStayWithinTheLimit(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		replicas := []*session.Manager{p.manager(), p.manager()}
		cases := map[string]struct {
			limits session.Limits
			from   netip.Addr
			want   int64
		}{
			"account": {session.Limits{Account: 10, Address: 1000, Window: time.Hour}, home, 10},
			"address": {session.Limits{Account: 1000, Address: 100, Window: time.Hour}, abroad, 100},
		}
		for name, c := range cases {
			var passed, refused atomic.Int64
			var guesses sync.WaitGroup
			for i := range 200 {
				guesses.Go(func() {
					_, err := replicas[i%2].Attempt(context.Background(), "shop", name, c.from, c.limits)
					var over session.Throttled
					switch {
					case err == nil:
						passed.Add(1)
					case errors.As(err, &over):
						refused.Add(1)
					default:
						t.Errorf("%s: %v", name, err)
					}
				})
			}
			guesses.Wait()
			if passed.Load() != c.want || passed.Load()+refused.Load() != 200 {
				t.Errorf("%s: %d of 200 passed and %d were refused, want %d", name, passed.Load(), refused.Load(), c.want)
			}
		}
	})
}

func TestAccountsThatAreTheSame(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		m := p.manager()
		spellings := []string{"Rene\u0301@Example.com", "  RENÉ@example.COM\t", "rené@example.com", "STRASSE", "straße"}
		attempt(t, m, spellings[0], home, session.Limits{Account: 1, Window: time.Hour})
		for _, same := range spellings[:3] {
			throttled(t, m, same, abroad, session.Limits{Account: 1, Window: time.Hour})
		}
		attempt(t, m, spellings[3], home, session.Limits{Account: 1, Window: time.Hour})
		throttled(t, m, spellings[4], home, session.Limits{Account: 1, Window: time.Hour})
		if _, err := m.Attempt(context.Background(), "admin", spellings[0], home, session.Limits{Account: 1, Window: time.Hour}); err != nil {
			t.Fatalf("another frontend counts for itself: %v", err)
		}
	})
}

func TestAddressesThatAreTheSame(t *testing.T) {
	cases := []struct {
		first, second string
		same          bool
	}{
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"2001:db8::1", "2001:db8::ffff:1", true},
		{"2001:db8:0:1::1", "2001:db8:0:2::1", false},
		{"fe80::1%eth0", "fe80::1%eth1", true},
	}
	eachStore(t, func(t *testing.T, p *place) {
		one := session.Limits{Address: 1, Window: time.Hour}
		for i, c := range cases {
			m := p.manager(func(o *session.Options) { o.Prefix = "coatcheck:" + string(rune('a'+i)) })
			attempt(t, m, "ann", netip.MustParseAddr(c.first), one)
			_, err := m.Attempt(context.Background(), "shop", "bob", netip.MustParseAddr(c.second), one)
			if got := err != nil; got != c.same {
				t.Errorf("%s and %s: %v", c.first, c.second, err)
			}
		}
	})
}

// The fear: strangers lock a person out at home by guessing from elsewhere.
func TestFamiliarAddressHasItsOwnCount(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		ctx := context.Background()
		m := p.manager()
		if err := attempt(t, m, "ann", home, tenOf5m).Succeeded(ctx); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			attempt(t, m, "ann", abroad, tenOf5m)
		}
		throttled(t, m, "ann", abroad, tenOf5m)
		last := attempt(t, m, "ann", home, tenOf5m)
		for range 9 {
			last = attempt(t, m, "ann", home, tenOf5m)
		}
		throttled(t, m, "ann", home, tenOf5m)
		// Signing in at home must not give the stranger ten guesses more.
		if err := last.Succeeded(ctx); err != nil {
			t.Fatal(err)
		}
		attempt(t, m, "ann", home, tenOf5m)
		throttled(t, m, "ann", abroad, tenOf5m)
	})
}

// Success clears the account's count, not the address's; our own failure gives
// back both.
func TestWhatSuccessAndFailureGiveBack(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		ctx := context.Background()
		m := p.manager()
		two := session.Limits{Account: 2, Address: 4, Window: time.Hour}
		attempt(t, m, "ann", home, two)
		a := attempt(t, m, "ann", home, two)
		throttled(t, m, "ann", home, two) // refused by the account: the address is not counted
		if err := a.GiveBack(ctx); err != nil {
			t.Fatal(err)
		}
		if err := a.GiveBack(ctx); err != nil { // twice is as good as once
			t.Fatal(err)
		}
		if err := attempt(t, m, "ann", home, two).Succeeded(ctx); err != nil {
			t.Fatal(err)
		}
		attempt(t, m, "bob", home, two) // the second failure from home
		attempt(t, m, "bob", home, two)
		attempt(t, m, "cleo", home, two)
		throttled(t, m, "cleo", home, two) // four failures stand from home
		attempt(t, m, "cleo", abroad, two) // refused by the address: the account is not counted
		throttled(t, m, "cleo", abroad, two)
	})
}

// The window slides: no two windows meet so that twice the limit passes.
func TestWindowSlides(t *testing.T) {
	p := memoryPlace(t)
	m := p.manager()
	l := session.Limits{Account: 2, Window: 10 * time.Minute}
	attempt(t, m, "ann", home, l)
	p.clock.advance(9 * time.Minute)
	attempt(t, m, "ann", home, l)
	if wait := throttled(t, m, "ann", home, l); wait != time.Minute {
		t.Fatalf("retry after %v, want a minute", wait)
	}
	p.clock.advance(time.Minute)
	attempt(t, m, "ann", home, l)
	if wait := throttled(t, m, "ann", home, l); wait != 9*time.Minute {
		t.Fatalf("retry after %v, want nine minutes", wait)
	}
}

// The window counts by Redis's own clock: nothing passes before its end, and what
// comes later does.
func TestWindowEndsInRedis(t *testing.T) {
	t.Parallel()
	p := redisPlace(t, startServer(t))
	m := p.manager()
	l := session.Limits{Account: 1, Address: 1, Window: time.Second}
	begun := time.Now()
	attempt(t, m, "ann", home, l)
	refused := 0
	eventually(t, "the window ends", func() bool {
		_, err := m.Attempt(context.Background(), "shop", "ann", home, l)
		if took := time.Since(begun); err == nil && took < l.Window-10*time.Millisecond { // Redis counts whole milliseconds
			t.Errorf("a second attempt passed after %v", took)
		}
		if err != nil {
			refused++
		}
		return err == nil
	})
	t.Logf("%d attempts were refused", refused)
}

// No limit, no account, no address: nothing is counted and nobody is refused.
func TestNoLimit(t *testing.T) {
	p := memoryPlace(t)
	m := p.manager()
	for range 50 {
		attempt(t, m, "ann", home, session.Limits{Window: time.Minute})
		attempt(t, m, " ", home, session.Limits{Account: 1, Window: time.Minute})
		if err := attempt(t, m, "ann", netip.Addr{}, session.Limits{Address: 1, Window: time.Minute}).Succeeded(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

// Once grants something once in a while for the whole fleet.
func TestOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		ctx := context.Background()
		a, b := p.manager(), p.manager()
		_, s := start(t, a, ann("shop"))
		yes := 0
		for i := range 10 {
			m := []*session.Manager{a, b}[i%2]
			may, err := m.Once(ctx, s, "refresh", time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if may {
				yes++
			}
		}
		if yes != 1 {
			t.Fatalf("granted %d times", yes)
		}
		if may, err := a.Once(ctx, s, "something else", time.Minute); !may || err != nil {
			t.Fatalf("another matter: %v, %v", may, err)
		}
	})
}
