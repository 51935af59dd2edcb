// Package ratelimit bounds the calls of a program over all replicas.
//
// The measure is GCRA (the generic cell rate algorithm): so many calls in each
// period, evenly, and a burst beyond that. In any span of time no more calls pass
// than the burst and what the pace allows in that span, however many replicas there
// are and however they are called.
//
// Replicas do not ask the store for each call. A replica borrows up to a tenth of the
// burst at a time (up to five calls, where the burst is ten or more) and gives them out
// by itself: under load that is at most one trip for five calls, and far less where the
// burst is large. It begins with one call and doubles, so that a slow caller wastes
// little. The store keeps a ledger of what is lent, and makes no new calls in the place
// of those: what is lent and what the store has are never more than the burst together.
// While nothing is left, a replica borrows calls that are still to come, and tells
// callers when; until then it does not ask again. A burst below ten lends one call at a
// time, and costs one trip for each call that passes.
//
// While the store is away, each process alone enforces the whole limit, and counts
// that as degraded; it asks again after a second.
package ratelimit

import (
	"context"
	"crypto/rand"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// storeTimeout bounds one trip to the store.
	storeTimeout = 500 * time.Millisecond
	// awayFor is how long the store is left alone after it failed.
	awayFor = time.Second
)

// Limit is a bound on calls. All three are above 0.
type Limit struct {
	Calls int           // in each period
	Per   time.Duration // the period
	Burst int           // at once, beyond the even pace
}

// Interval is the time between two calls at the even pace, in whole microseconds,
// which is what stores count in; rounded up, so that no more calls pass than are said.
func (l Limit) Interval() time.Duration {
	calls := time.Duration(l.Calls) * time.Microsecond
	return (l.Per + calls - 1) / calls * time.Microsecond
}

// lend is the most calls that a replica borrows at once.
func (l Limit) lend() int {
	if l.Burst < 10 {
		return 1
	}
	return max(l.Burst/10, 5)
}

// patience is how far ahead a loan of n may begin: so far that three replicas can
// take turns while nothing is left, without one of them asking in vain.
func (l Limit) patience(n int) time.Duration {
	if l.lend() == 1 {
		return 0
	}
	return 2 * time.Duration(n) * l.Interval()
}

// lease is how long what was borrowed may be used: the time in which the pace makes
// twenty times the largest loan, because what is left at its end is lost. A loan of one
// is used at once.
func (l Limit) lease() time.Duration {
	if l.lend() == 1 {
		return 0
	}
	return 20 * time.Duration(l.lend()) * l.Interval()
}

// Request is what a replica asks of a store.
type Request struct {
	Key      string        // of the caller
	Replica  string        // who borrows; each has one loan at a time
	Interval time.Duration // between two calls, whole microseconds
	Burst    int           // calls at once, beyond the even pace
	Want     int           // calls to borrow, above 0
	Patience time.Duration // how far ahead the loan may begin
	Lease    time.Duration // how long a call may be used once it conforms; 0: the loan is used at once
}

// Grant is what a store lends.
type Grant struct {
	// N is how many calls; 0 where the loan would begin after the patience.
	N int
	// Wait is how long from now until the first call conforms, negative where it did
	// before. The i-th conforms i intervals after the first.
	Wait time.Duration
	// Left is how many calls beyond these would conform at once.
	Left int
}

// Store keeps, for each caller, an instant (the theoretical arrival time, TAT: when
// all calls that were granted will have been made up for) and a ledger of loans. The
// key of a caller that is silent may go once TAT and all loans are past.
type Store interface {
	// Borrow is one atomic step at the store's own clock:
	//
	//	loans that are past their end leave the ledger
	//	all    = the sum of the loans in it, the replica's own included
	//	tat    = max(tat, now + all*interval)
	//	the replica's own loan leaves the ledger: it is used up
	//	n      = min(want, max(1, (burst - others)/2)), others without its own
	//	wait   = tat - now - (burst-1)*interval
	//	if wait > patience: nothing is granted
	//	tat    = tat + n*interval
	//	if lease > 0: the ledger notes n for the replica, until
	//	         now + max(wait, 0) + n*interval + lease
	//	left   = floor((now + burst*interval - tat) / interval), not below 0
	Borrow(ctx context.Context, r Request) (Grant, error)
}

// Decision is about one call.
type Decision struct {
	Allowed    bool          // the call may pass
	RetryAfter time.Duration // where not allowed: until a call may pass
	Remaining  int           // calls that may pass at once, as far as this process knows
	Reset      time.Duration // until Remaining is the whole burst again, if nobody calls
	Degraded   bool          // the store was away
}

// Limiter decides for every caller of a process. Its methods are safe for concurrent use.
type Limiter struct {
	store    Store
	replica  string
	now      func() time.Time
	begun    time.Time
	away     atomic.Int64 // nanoseconds since begun, by no clock that is set, until which the store is left alone
	degraded atomic.Uint64
	trips    atomic.Uint64

	mu      sync.Mutex
	callers map[string]*caller // by name: as many as the configuration has
}

// New returns a limiter over a store; nil is a process that has none to share.
func New(store Store) *Limiter {
	return &Limiter{store: store, replica: rand.Text()[:12], now: time.Now, begun: time.Now(), callers: map[string]*caller{}}
}

// Degraded is how many calls were decided without the store, and Trips how often it
// was asked, since the process began.
func (l *Limiter) Degraded() uint64 { return l.degraded.Load() }

// Trips: see [Limiter.Degraded].
func (l *Limiter) Trips() uint64 { return l.trips.Load() }

// Keep forgets callers that are not named any more, after a reload.
func (l *Limiter) Keep(named func(name string) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name := range l.callers {
		if !named(name) {
			delete(l.callers, name)
		}
	}
}

// Allow decides about one call of the caller called name and counts it. A call that
// must wait for the store's answer waits no longer than ctx, and is then decided
// by this process alone.
func (l *Limiter) Allow(ctx context.Context, name string, limit Limit) Decision {
	c := l.caller(name, limit)
	for {
		now := l.now()
		if l.store == nil || int64(now.Sub(l.begun)) < l.away.Load() {
			return l.alone(c, now)
		}
		d, decided, flight := c.decide(now)
		if decided {
			return d
		}
		if flight != nil { // somebody else is on the way
			select {
			case <-flight:
				continue
			case <-ctx.Done():
				return l.alone(c, l.now())
			}
		}
		if d, decided := l.borrow(ctx, name, c); decided {
			return d
		}
	}
}

// alone decides without the store.
func (l *Limiter) alone(c *caller, now time.Time) Decision {
	if l.store != nil {
		l.degraded.Add(1)
	}
	d := c.alone(now)
	d.Degraded = l.store != nil
	return d
}

func (l *Limiter) caller(name string, limit Limit) *caller {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.callers[name]
	if c == nil || c.limit != limit {
		c = &caller{limit: limit}
		l.callers[name] = c
	}
	return c
}

// borrow makes one trip for everybody who waits. The caller has learnt that it
// is the one who goes.
func (l *Limiter) borrow(ctx context.Context, name string, c *caller) (Decision, bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	l.trips.Add(1)
	asked := l.now()
	r := c.request(asked)
	r.Key, r.Replica = name, l.replica
	g, err := l.store.Borrow(ctx, r)
	if err != nil {
		l.away.Store(int64(l.now().Add(awayFor).Sub(l.begun)))
	}
	return c.landed(loan{asked: asked, answered: l.now(), wait: g.Wait, n: g.N}, r, g, err)
}
