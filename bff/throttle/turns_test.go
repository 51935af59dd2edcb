package throttle_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"coatcheck/bff/session/store/storetest"
	"coatcheck/bff/throttle"
)

// The fear: a right password is refused because many others of the same address, or with
// the same account, sign in at the same moment.
func TestRightPasswordsGetTheirTurn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, p *storetest.Place) {
		replicas := []throttle.Throttle{replica(t, p.Open(), keyA), replica(t, p.Open(), keyA)}
		limits := throttle.Limits{Account: 3, Address: 8, Window: time.Hour}
		var atAPI, most atomic.Int64
		var people sync.WaitGroup
		for i := range 60 {
			people.Go(func() {
				a, err := replicas[i%2].AttemptInTurn(context.Background(), "shop", fmt.Sprint("person ", i%10), home, limits)
				if err != nil {
					t.Errorf("person %d: %v", i, err)
					return
				}
				now := atAPI.Add(1)
				for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
				}
				atAPI.Add(-1)
				if err := a.Succeeded(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		people.Wait()
		if most.Load() > 8 {
			t.Errorf("%d sign-ins were under way at once, more than may fail", most.Load())
		}
	})
}

// The fear: waiting lets more guesses pass than refusing did.
func TestWrongPasswordsStayWithinTheLimit(t *testing.T) {
	storetest.Each(t, func(t *testing.T, p *storetest.Place) {
		replicas := []throttle.Throttle{replica(t, p.Open(), keyA), replica(t, p.Open(), keyA)}
		limits := throttle.Limits{Account: 10, Address: 1000, Window: time.Hour}
		var passed, refused atomic.Int64
		var guesses sync.WaitGroup
		for i := range 100 {
			guesses.Go(func() {
				a, err := replicas[i%2].AttemptInTurn(context.Background(), "shop", "ann", abroad, limits)
				var over throttle.ThrottledError
				switch {
				case err == nil:
					passed.Add(1)
					if err := a.Stay(context.Background()); err != nil {
						t.Error(err)
					}
				case errors.As(err, &over) && over.RetryAfter > time.Minute:
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		guesses.Wait()
		if passed.Load() != 10 || refused.Load() != 90 {
			t.Errorf("%d of 100 passed and %d were refused, want 10", passed.Load(), refused.Load())
		}
	})
}

// Whoever waits does not wait without end: neither for a sign-in that never ends, nor
// behind its own end.
func TestWaitingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := storetest.Memory(t)
		m := replica(t, p.Open(), keyA)
		limits := throttle.Limits{Account: 1, Window: time.Hour}
		attempt(t, m, "ann", home, limits)
		begun := time.Now()
		_, err := m.AttemptInTurn(context.Background(), "shop", "ann", home, limits)
		var over throttle.ThrottledError
		if took := time.Since(begun); !errors.As(err, &over) || over.RetryAfter != time.Second || took != 20*time.Second {
			t.Errorf("after %s: %v", took, err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		begun = time.Now()
		if _, err = m.AttemptInTurn(ctx, "shop", "ann", home, limits); !errors.As(err, &over) || time.Since(begun) != time.Second {
			t.Errorf("after %s: %v", time.Since(begun), err)
		}
		p.Clock.Advance(time.Minute + time.Second) // whoever left it open is not coming back
		begun = time.Now()
		if _, err = m.AttemptInTurn(context.Background(), "shop", "ann", home, limits); !errors.As(err, &over) || over.RetryAfter < time.Minute || time.Since(begun) > 0 {
			t.Errorf("after %s: %v", time.Since(begun), err)
		}
	})
}
