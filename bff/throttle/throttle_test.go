package throttle_test

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/keyring"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/store/storetest"
	"coatcheck/bff/throttle"
)

var (
	keyA = credential.NewSecret("a-key-of-the-tests-0123456789abcdef")
	keyB = credential.NewSecret("b-key-of-the-tests-0123456789abcdef")
)

// replica counts over a store, with the server's keys of one replica.
func replica(t testing.TB, s store.Store, keys ...credential.Secret) throttle.Throttle {
	t.Helper()
	ring, err := keyring.New(keys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return throttle.New(s, func(kind string, parts ...string) []string {
		names := ring.Names(parts...)
		for i, name := range names {
			names[i] = "coatcheck:" + kind + ":{" + name + "}"
		}
		return names
	})
}

var (
	home    = netip.MustParseAddr("192.0.2.1")
	abroad  = netip.MustParseAddr("203.0.113.7")
	tenOf5m = throttle.Limits{Account: 10, Address: 100, Window: 5 * time.Minute}
)

func attempt(t testing.TB, m throttle.Throttle, account string, from netip.Addr, l throttle.Limits) *throttle.Attempt {
	t.Helper()
	a, err := m.Attempt(context.Background(), "shop", account, from, l)
	if err != nil {
		t.Fatalf("attempt of %s: %v", account, err)
	}
	return a
}

func throttled(t testing.TB, m throttle.Throttle, account string, from netip.Addr, l throttle.Limits) time.Duration {
	t.Helper()
	a, err := m.Attempt(context.Background(), "shop", account, from, l)
	var over throttle.ThrottledError
	if a != nil || !errors.As(err, &over) || over.RetryAfter <= 0 || over.RetryAfter > l.Window {
		t.Fatalf("attempt of %s: %v, %v; want ThrottledError", account, a, err)
	}
	return over.RetryAfter
}

// The fear: guesses that come all at once are all let through.
func TestGuessesAtOneInstantStayWithinTheLimit(t *testing.T) {
	storetest.Each(t, func(t *testing.T, p *storetest.Place) {
		replicas := []throttle.Throttle{replica(t, p.Open(), keyA), replica(t, p.Open(), keyA)}
		cases := map[string]struct {
			limits throttle.Limits
			from   netip.Addr
			want   int64
		}{
			"account": {throttle.Limits{Account: 10, Address: 1000, Window: time.Hour}, home, 10},
			"address": {throttle.Limits{Account: 1000, Address: 100, Window: time.Hour}, abroad, 100},
		}
		for name, c := range cases {
			var passed, refused atomic.Int64
			var guesses sync.WaitGroup
			for i := range 200 {
				guesses.Go(func() {
					_, err := replicas[i%2].Attempt(context.Background(), "shop", name, c.from, c.limits)
					var over throttle.ThrottledError
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
	storetest.Each(t, func(t *testing.T, p *storetest.Place) {
		m := replica(t, p.Open(), keyA)
		spellings := []string{"Rene\u0301@Example.com", "  RENÉ@example.COM\t", "rené@example.com", "STRASSE", "straße"}
		attempt(t, m, spellings[0], home, throttle.Limits{Account: 1, Window: time.Hour})
		for _, same := range spellings[:3] {
			throttled(t, m, same, abroad, throttle.Limits{Account: 1, Window: time.Hour})
		}
		attempt(t, m, spellings[3], home, throttle.Limits{Account: 1, Window: time.Hour})
		throttled(t, m, spellings[4], home, throttle.Limits{Account: 1, Window: time.Hour})
		if _, err := m.Attempt(context.Background(), "admin", spellings[0], home, throttle.Limits{Account: 1, Window: time.Hour}); err != nil {
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
	storetest.Each(t, func(t *testing.T, p *storetest.Place) {
		one := throttle.Limits{Address: 1, Window: time.Hour}
		for i, c := range cases {
			m := replica(t, p.Open(), keyA)
			one.Shared = string(rune('a' + i)) // the counts of one case are not those of another
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
	storetest.Each(t, func(t *testing.T, p *storetest.Place) {
		ctx := context.Background()
		m := replica(t, p.Open(), keyA)
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
	storetest.Each(t, func(t *testing.T, p *storetest.Place) {
		ctx := context.Background()
		m := replica(t, p.Open(), keyA)
		two := throttle.Limits{Account: 2, Address: 4, Window: time.Hour}
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
	p := storetest.Memory(t)
	m := replica(t, p.Open(), keyA)
	l := throttle.Limits{Account: 2, Window: 10 * time.Minute}
	attempt(t, m, "ann", home, l)
	p.Clock.Advance(9 * time.Minute)
	attempt(t, m, "ann", home, l)
	if wait := throttled(t, m, "ann", home, l); wait != time.Minute {
		t.Fatalf("retry after %v, want a minute", wait)
	}
	p.Clock.Advance(time.Minute)
	attempt(t, m, "ann", home, l)
	if wait := throttled(t, m, "ann", home, l); wait != 9*time.Minute {
		t.Fatalf("retry after %v, want nine minutes", wait)
	}
}

// The window counts by Redis's own clock: nothing passes before its end, and what
// comes later does.
func TestWindowEndsInRedis(t *testing.T) {
	t.Parallel()
	p := storetest.OfRedis(t, storetest.StartRedis(t))
	m := replica(t, p.Open(), keyA)
	l := throttle.Limits{Account: 1, Address: 1, Window: time.Second}
	begun := time.Now()
	attempt(t, m, "ann", home, l)
	refused := 0
	storetest.Eventually(t, "the window ends", func() bool {
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
	p := storetest.Memory(t)
	m := replica(t, p.Open(), keyA)
	for range 50 {
		attempt(t, m, "ann", home, throttle.Limits{Window: time.Minute})
		attempt(t, m, " ", home, throttle.Limits{Account: 1, Window: time.Minute})
		if err := attempt(t, m, "ann", netip.Addr{}, throttle.Limits{Address: 1, Window: time.Minute}).Succeeded(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

// The throttle counts across the roll: whichever key comes first, the replicas
// share one count.
func TestThrottleHoldsWhileKeysRoll(t *testing.T) {
	storetest.Each(t, func(t *testing.T, p *storetest.Place) {
		replicas := []throttle.Throttle{replica(t, p.Open(), keyA), replica(t, p.Open(), keyA, keyB), replica(t, p.Open(), keyB, keyA), replica(t, p.Open(), keyB, keyA)}
		limits := throttle.Limits{Account: 3, Window: time.Hour}
		passed := 0
		for i := range 12 {
			if _, err := replicas[i%4].Attempt(context.Background(), "shop", "ann", netip.MustParseAddr("192.0.2.1"), limits); err == nil {
				passed++
			}
		}
		if passed != 3 {
			t.Fatalf("%d attempts passed, want 3", passed)
		}
	})
}
