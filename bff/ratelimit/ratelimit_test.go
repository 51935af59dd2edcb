package ratelimit_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"sort"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"coatcheck/bff/ratelimit"
)

// distant is a store some way off, which can be away.
type distant struct {
	ratelimit.Memory
	away  atomic.Bool
	asked atomic.Int64
}

func (d *distant) Borrow(ctx context.Context, r ratelimit.Request) (ratelimit.Grant, error) {
	d.asked.Add(1)
	time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
	if d.away.Load() {
		return ratelimit.Grant{}, errors.New("away")
	}
	g, err := d.Memory.Borrow(ctx, r)
	time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
	return g, err
}

// passed collects when calls passed.
type passed struct {
	mu    sync.Mutex
	times []time.Time
	calls int
}

func (p *passed) add(d ratelimit.Decision) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	if d.Allowed {
		p.times = append(p.times, time.Now())
	}
}

// worst is by how much the bound was passed in the worst span of time: not above 0.
func (p *passed) worst(l ratelimit.Limit) int {
	sort.Slice(p.times, func(i, j int) bool { return p.times[i].Before(p.times[j]) })
	worst := -1 << 30
	// A bucket of the burst that the pace drains: the level is the worst span that ends here.
	level, last := 0.0, time.Time{}
	for _, at := range p.times {
		level = max(level-float64(at.Sub(last))/float64(l.Interval()), 0) + 1
		last = at
		worst = max(worst, int(math.Floor(level-1e-6))-l.Burst)
	}
	return worst
}

// TestTheFleetKeepsTheBound: 20 clients over three replicas, at paces around the
// limit. In no span more calls pass than burst and pace allow, nearly all of those
// pass, and the store is asked at most once for five calls.
func TestTheFleetKeepsTheBound(t *testing.T) {
	for _, c := range []struct {
		name  string
		limit ratelimit.Limit
		pause time.Duration // of each client between calls
	}{
		{"half the limit", ratelimit.Limit{Calls: 600, Per: time.Minute, Burst: 100}, 4 * time.Second},
		{"the limit", ratelimit.Limit{Calls: 600, Per: time.Minute, Burst: 100}, 2 * time.Second},
		{"a little more", ratelimit.Limit{Calls: 600, Per: time.Minute, Burst: 100}, 1600 * time.Millisecond},
		{"ten times the limit", ratelimit.Limit{Calls: 600, Per: time.Minute, Burst: 100}, 200 * time.Millisecond},
		{"a large burst", ratelimit.Limit{Calls: 6000, Per: time.Minute, Burst: 1000}, 50 * time.Millisecond},
		{"a small burst", ratelimit.Limit{Calls: 600, Per: time.Minute, Burst: 20}, 500 * time.Millisecond},
		{"a burst of one", ratelimit.Limit{Calls: 60, Per: time.Minute, Burst: 1}, time.Second},
		{"a burst of five", ratelimit.Limit{Calls: 60, Per: time.Minute, Burst: 5}, 3 * time.Second},
		{"slow and long", ratelimit.Limit{Calls: 10, Per: time.Hour, Burst: 10}, 10 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) { fleet(t, c.limit, c.pause) })
	}
}

func fleet(t *testing.T, limit ratelimit.Limit, pause time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		store := &distant{}
		var replicas []*ratelimit.Limiter
		for range 3 {
			replicas = append(replicas, ratelimit.New(store))
		}
		p, began, length := &passed{}, time.Now(), 5*time.Minute
		var wait sync.WaitGroup
		for i := range 20 {
			wait.Go(func() {
				time.Sleep(time.Duration(i) * pause / 20)
				for k := i; time.Since(began) < length; k++ {
					d := replicas[k%3].Allow(t.Context(), "excel", limit)
					p.add(d)
					if !d.Allowed && (d.RetryAfter <= 0 || d.Remaining != 0) {
						t.Errorf("refused with %+v", d)
					}
					time.Sleep(pause)
				}
			})
		}
		wait.Wait()
		if over := p.worst(limit); over > 0 {
			t.Errorf("%d calls too many passed", over)
		}
		most := min(p.calls, limit.Burst+int(length/limit.Interval()))
		if len(p.times) < most*85/100-limit.Burst {
			t.Errorf("%d calls passed of %d, %d could have", len(p.times), p.calls, most)
		}
		if asked := store.asked.Load(); limit.Burst >= 10 && 5*asked > int64(p.calls)+100 {
			t.Errorf("the store was asked %d times for %d calls", asked, p.calls)
		}
	})
}

func TestWhileTheStoreIsAwayEachProcessKeepsTheWholeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := ratelimit.Limit{Calls: 60, Per: time.Minute, Burst: 10}
		store := &distant{}
		store.away.Store(true)
		l := ratelimit.New(store)
		p := &passed{}
		for range 300 {
			d := l.Allow(t.Context(), "excel", limit)
			if !d.Degraded {
				t.Fatalf("%+v", d)
			}
			p.add(d)
			time.Sleep(100 * time.Millisecond)
		}
		if over := p.worst(limit); over > 0 || len(p.times) < 35 {
			t.Errorf("%d passed, %d too many", len(p.times), over)
		}
		if l.Degraded() != 300 || store.asked.Load() > 31 {
			t.Errorf("%d degraded, the store was asked %d times", l.Degraded(), store.asked.Load())
		}
		store.away.Store(false)
		time.Sleep(2 * time.Second)
		if d := l.Allow(t.Context(), "excel", limit); !d.Allowed || d.Degraded {
			t.Errorf("the store is back: %+v", d)
		}
	})
}

// stuck is a store that never answers by itself.
type stuck struct{ ratelimit.Memory }

func (*stuck) Borrow(ctx context.Context, _ ratelimit.Request) (ratelimit.Grant, error) {
	<-ctx.Done()
	return ratelimit.Grant{}, ctx.Err()
}

func TestAStoreThatHangsHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, limit := ratelimit.New(&stuck{}), ratelimit.Limit{Calls: 60, Per: time.Minute, Burst: 10}
		began := time.Now()
		var wait sync.WaitGroup
		for range 50 {
			wait.Go(func() { l.Allow(t.Context(), "excel", limit) })
		}
		wait.Wait()
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestHeaders(t *testing.T) {
	limit := ratelimit.Limit{Calls: 600, Per: time.Minute, Burst: 100}
	if got := limit.PolicyHeader(); got != `"caller";q=600;w=60` {
		t.Error(got)
	}
	for want, d := range map[string]ratelimit.Decision{
		`"caller";r=7;t=10`: {Allowed: true, Remaining: 7, Reset: 9300 * time.Millisecond},
		`"caller";r=0;t=1`:  {RetryAfter: 100 * time.Millisecond, Reset: time.Minute},
	} {
		if got := d.Header(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := (ratelimit.Decision{RetryAfter: 1200 * time.Millisecond}).RetryAfterHeader(); got != "2" {
		t.Error(got)
	}
}

func TestWithoutAStoreAProcessKeepsTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, limit := ratelimit.New(nil), ratelimit.Limit{Calls: 60, Per: time.Minute, Burst: 3}
		for i, want := range []int{2, 1, 0} {
			if d := l.Allow(t.Context(), "x", limit); !d.Allowed || d.Remaining != want || d.Degraded {
				t.Errorf("call %d: %+v", i, d)
			}
		}
		d := l.Allow(t.Context(), "x", limit)
		if d.Allowed || d.RetryAfter != time.Second {
			t.Errorf("%+v", d)
		}
		time.Sleep(d.RetryAfter)
		if d := l.Allow(t.Context(), "x", limit); !d.Allowed {
			t.Errorf("after Retry-After: %+v", d)
		}
		if d := l.Allow(t.Context(), "y", limit); !d.Allowed {
			t.Errorf("another caller: %+v", d)
		}
	})
}
