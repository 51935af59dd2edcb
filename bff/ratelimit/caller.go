package ratelimit

import (
	"sync"
	"time"
)

// caller is what a process knows about one caller.
type caller struct {
	limit Limit

	mu     sync.Mutex
	flight chan struct{} // closed when the trip under way is over; nil without one
	size   int           // of the last loan
	loan   loan
	retry  time.Time // nobody asks the store before that
	left   int       // calls in the store at the last trip
	tat    time.Time // of this process alone, while the store is away
}

// loan is what was borrowed: n calls, of which next is the next.
type loan struct {
	asked, answered time.Time
	wait            time.Duration // from then until the first conforms
	next, n         int
}

// from is when the i-th call may pass. It counts from when the answer came, which is
// later than the store's own reckoning.
func (l *loan) from(i int, interval time.Duration) time.Time {
	return l.answered.Add(l.wait + time.Duration(i)*interval)
}

// end is when the i-th call is lost. It counts from when the store was asked, which is
// earlier than the store's own reckoning.
func (l *loan) end(i int, interval, lease time.Duration) time.Time {
	return l.asked.Add(max(l.wait+time.Duration(i)*interval, 0) + lease)
}

// decide gives a call out of the loan. Where there is none it says whom to wait for,
// or, with flight nil, that the caller is to make the trip.
func (c *caller) decide(now time.Time) (d Decision, decided bool, flight chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	interval := c.limit.Interval()
	for ; c.loan.next < c.loan.n; c.loan.next++ {
		if !now.Before(c.loan.end(c.loan.next, interval, c.limit.lease())) { // nobody used it in time
			c.size = 0
			continue
		}
		if from := c.loan.from(c.loan.next, interval); now.Before(from) {
			return c.refuse(from.Sub(now)), true, nil
		}
		c.loan.next++
		return c.allow(now), true, nil
	}
	if now.Before(c.retry) {
		return c.refuse(c.retry.Sub(now)), true, nil
	}
	if c.flight != nil {
		return Decision{}, false, c.flight
	}
	c.flight = make(chan struct{})
	return Decision{}, false, nil
}

func (c *caller) allow(now time.Time) Decision {
	interval := c.limit.Interval()
	ready := 0
	for i := c.loan.next; i < c.loan.n; i++ {
		if !now.Before(c.loan.from(i, interval)) {
			ready++
		}
	}
	return Decision{Allowed: true, Remaining: ready + c.left, Reset: c.reset(ready + c.left)}
}

func (c *caller) refuse(wait time.Duration) Decision {
	return Decision{RetryAfter: wait, Reset: c.reset(0) + wait}
}

// reset is how long the pace takes to make up for what is missing.
func (c *caller) reset(remaining int) time.Duration {
	return time.Duration(max(c.limit.Burst-remaining, 0)) * c.limit.Interval()
}

// request asks for twice what the last loan was, and for one after a waste.
func (c *caller) request(now time.Time) Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := max(min(2*c.size, c.limit.lend()), 1)
	return Request{Interval: c.limit.Interval(), Burst: c.limit.Burst, Want: n, Patience: c.limit.patience(n), Lease: c.limit.lease()}
}

// landed notes what a trip brought. A loan of one that conforms goes to who made the
// trip, at once.
func (c *caller) landed(l loan, r Request, g Grant, err error) (Decision, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.flight)
	c.flight = nil
	switch {
	case err != nil:
		return Decision{}, false
	case g.N == 0:
		wait := max(g.Wait-r.Patience, time.Millisecond)
		c.retry, c.left, c.size = l.answered.Add(wait), 0, r.Want/2
		return c.refuse(wait), true
	}
	c.loan, c.left, c.size, c.retry = l, g.Left, r.Want, time.Time{}
	if l.wait <= 0 {
		c.loan.next = 1
		return c.allow(l.answered), true
	}
	return Decision{}, false
}

// alone is GCRA over this process's own instant.
func (c *caller) alone(now time.Time) Decision {
	c.mu.Lock()
	defer c.mu.Unlock()
	interval := c.limit.Interval()
	if c.tat.Before(now) {
		c.tat = now
	}
	if wait := c.tat.Sub(now) - time.Duration(c.limit.Burst-1)*interval; wait > 0 {
		return c.refuse(wait)
	}
	c.tat = c.tat.Add(interval)
	remaining := int((time.Duration(c.limit.Burst)*interval - c.tat.Sub(now)) / interval)
	return Decision{Allowed: true, Remaining: remaining, Reset: c.reset(remaining)}
}
