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

// inTurn repeats what a sign-in gave up in, for a frontend of its own each time: those that
// it waited for had the time that anybody waits, and a busy machine took it.
func inTurn(t *testing.T, attempt func(frontend string) (gaveUp bool)) {
	t.Helper()
	for n := range 10 {
		if !attempt(fmt.Sprint("shop", n)) {
			return
		}
	}
	t.Error("somebody gave up in every attempt")
}

// gaveUp reports whether a sign-in that began then was refused after the longest wait.
func gaveUp(err error, begun time.Time) bool {
	var over throttle.ThrottledError
	return errors.As(err, &over) && over.RetryAfter == time.Second && time.Since(begun) >= 20*time.Second
}

// The fear: a right password is refused because many others of the same address, or with
// the same account, sign in at the same moment.
func TestRightPasswordsGetTheirTurn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, p *storetest.Place) {
		replicas := []throttle.Throttle{replica(t, p.Open(), keyA), replica(t, p.Open(), keyA)}
		limits := throttle.Limits{Account: 3, Address: 8, Window: time.Hour}
		inTurn(t, func(frontend string) bool {
			var atAPI, most atomic.Int64
			var late atomic.Bool
			var people sync.WaitGroup
			for i := range 60 {
				people.Go(func() {
					begun := time.Now()
					a, err := replicas[i%2].AttemptInTurn(context.Background(), frontend, fmt.Sprint("person ", i%10), home, limits)
					switch {
					case gaveUp(err, begun):
						late.Store(true)
						return
					case err != nil:
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
			return late.Load()
		})
	})
}

// The fear: waiting lets more guesses pass than refusing did.
func TestWrongPasswordsStayWithinTheLimit(t *testing.T) {
	storetest.Each(t, func(t *testing.T, p *storetest.Place) {
		replicas := []throttle.Throttle{replica(t, p.Open(), keyA), replica(t, p.Open(), keyA)}
		limits := throttle.Limits{Account: 10, Address: 1000, Window: time.Hour}
		inTurn(t, func(frontend string) bool {
			var passed, refused, late atomic.Int64
			var guesses sync.WaitGroup
			for i := range 100 {
				guesses.Go(func() {
					begun := time.Now()
					a, err := replicas[i%2].AttemptInTurn(context.Background(), frontend, "ann", abroad, limits)
					var over throttle.ThrottledError
					switch {
					case err == nil:
						passed.Add(1)
						if err := a.Stay(context.Background()); err != nil {
							t.Error(err)
						}
					case errors.As(err, &over) && over.RetryAfter > time.Minute:
						refused.Add(1)
					case gaveUp(err, begun):
						late.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			guesses.Wait()
			if passed.Load() > 10 || late.Load() == 0 && (passed.Load() != 10 || refused.Load() != 90) {
				t.Errorf("%d of 100 passed and %d were refused, want 10", passed.Load(), refused.Load())
			}
			return late.Load() > 0
		})
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
