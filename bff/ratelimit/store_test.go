package ratelimit_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/bff/ratelimit"
	"coatcheck/bff/rig"
)

// TestEveryStoreLendsAlike: the same questions, the same answers, but for the time
// that passes between them.
func TestEveryStoreLendsAlike(t *testing.T) {
	t.Run("memory", func(t *testing.T) { lends(t, &ratelimit.Memory{}) })
	t.Run("redis", func(t *testing.T) { lends(t, ratelimit.NewRedis(rig.NewScripts(t), "test")) })
}

func lends(t *testing.T, s ratelimit.Store) {
	const hour = time.Hour // nothing comes back during the test
	for i, step := range []struct {
		replica    string
		want       int
		lease      time.Duration
		patience   time.Duration
		n, left    int
		waitIsLate bool
	}{
		{"a", 5, hour, 0, 5, 15, false},
		{"b", 5, hour, 0, 5, 10, false},
		{"b", 5, hour, 0, 5, 5, false}, // its own loan is used up
		{"c", 9, hour, 0, 5, 0, false}, // half of what nobody else has
		{"c", 1, 0, 0, 0, 0, true},     // nothing is left
		{"c", 1, 0, 2 * hour, 1, 0, true},
	} {
		g, err := s.Borrow(t.Context(), ratelimit.Request{Key: "x", Replica: step.replica, Interval: hour, Burst: 20, Want: step.want, Lease: step.lease, Patience: step.patience})
		if err != nil || g.N != step.n || g.Left != step.left || (g.Wait > 0) != step.waitIsLate {
			t.Errorf("step %d: %+v %v", i, g, err)
		}
	}
	if g, err := s.Borrow(t.Context(), ratelimit.Request{Key: "y", Replica: "a", Interval: hour, Burst: 20, Want: 1}); err != nil || g.N != 1 || g.Left != 19 {
		t.Errorf("another caller: %+v %v", g, err)
	}
}

// Three replicas over one Redis, as fast as they can, never above the bound. Where the
// machine is so busy that a trip took half a second, each kept the limit for itself, and
// where few calls were made nothing is shown: then again, with counts of their own.
func TestTheBoundHoldsOverRedis(t *testing.T) {
	store := ratelimit.NewRedis(rig.NewScripts(t), "test")
	for try := range 20 {
		if !exceed(t, store, fmt.Sprint("excel", try)) {
			return
		}
	}
	t.Fatal("the machine was too busy in every try")
}

// exceed lets three replicas call for two seconds, and holds what passed against the
// bound; busy: the store was away, or too few called to come near the bound.
func exceed(t *testing.T, store ratelimit.Store, caller string) (busy bool) {
	t.Helper()
	limit := ratelimit.Limit{Calls: 1200, Per: time.Minute, Burst: 50}
	p, began := &passed{}, time.Now()
	var away atomic.Bool
	var asked atomic.Int64
	var wait sync.WaitGroup
	for range 3 {
		l := ratelimit.New(store)
		for range 4 {
			wait.Go(func() {
				for time.Since(began) < 2*time.Second {
					asked.Add(1)
					d := l.Allow(t.Context(), caller, limit)
					p.add(d)
					if d.Degraded {
						away.Store(true)
					}
					time.Sleep(2 * time.Millisecond)
				}
			})
		}
	}
	wait.Wait()
	if away.Load() || asked.Load() < int64(limit.Burst) {
		return true
	}
	if most := limit.Burst + int(time.Since(began)/limit.Interval()) + 1; len(p.times) > most || len(p.times) < limit.Burst/2 {
		t.Errorf("%d calls passed, %d may", len(p.times), most)
	}
	return false
}
