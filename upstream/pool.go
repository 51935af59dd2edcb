package upstream

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// rest is how long a connection is kept back after an answer that has no body by
// rule: the time in which a faulty API's body for it would arrive.
const rest = 100 * time.Millisecond

var errPoolClosed = errors.New("forwarder is closed")

// connPool keeps idle connections and counts all of them. The one put last is
// taken first, so that a quiet time closes what is not needed.
type connPool struct {
	maxOpen, maxIdle int
	idleTimeout      time.Duration

	mu      sync.Mutex
	open    int       // idle, at work, tunnelling or being opened
	idle    []*conn   // the last is the freshest
	resting []*conn   // the first has rested longest
	waiting []*waiter // the first waits longest
	sweeper *time.Timer
	armed   bool
	closed  bool
}

// waiter gets a connection, or nil: the permission to open one.
type waiter struct{ turn chan *conn }

func (p *connPool) init(maxOpen, maxIdle int, idleTimeout time.Duration) {
	p.maxOpen, p.maxIdle, p.idleTimeout = maxOpen, min(maxIdle, maxOpen), idleTimeout
	p.sweeper = time.AfterFunc(time.Hour, p.sweep)
	p.sweeper.Stop()
}

func (p *connPool) count() (open, idle int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open, len(p.idle) + len(p.resting)
}

// take returns an idle connection, or nil.
func (p *connPool) take(now time.Time) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.takeLocked(now)
}

func (p *connPool) takeLocked(now time.Time) *conn {
	for len(p.resting) > 0 && now.Sub(p.resting[0].since) >= rest {
		p.idle = append(p.idle, p.resting[0])
		p.resting = slices.Delete(p.resting, 0, 1)
	}
	for last := len(p.idle) - 1; last >= 0; last-- {
		c := p.idle[last]
		p.idle[last] = nil
		p.idle = p.idle[:last]
		if now.Sub(c.since) < p.idleTimeout {
			return c
		}
		p.dropLocked(c)
	}
	return nil
}

// reserve takes the place of a connection that the caller then opens; nil says
// that it may. Where all places are taken it waits, until ctx ends, and may get a
// connection that came back.
func (p *connPool) reserve(ctx context.Context) (*conn, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errPoolClosed
	}
	if p.open < p.maxOpen {
		p.open++
		p.mu.Unlock()
		return nil, nil
	}
	if c := p.takeLocked(time.Now()); c != nil {
		p.mu.Unlock()
		return c, nil
	}
	if len(p.resting) > 0 {
		p.resting[0].kill() // its place is of more use
		p.resting = slices.Delete(p.resting, 0, 1)
		p.mu.Unlock()
		return nil, nil
	}
	w := &waiter{make(chan *conn, 1)}
	p.waiting = append(p.waiting, w)
	p.mu.Unlock()
	select {
	case c := <-w.turn:
		return c, nil
	case <-ctx.Done():
		return p.withdraw(w, ctx.Err())
	}
}

// withdraw ends a waiter, unless its turn came in the same moment.
func (p *connPool) withdraw(w *waiter, cause error) (*conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.waiting, w)
	if i < 0 {
		return <-w.turn, nil
	}
	p.waiting = slices.Delete(p.waiting, i, i+1)
	return nil, cause
}

// put takes back a connection that is fit for another call, which comes after a
// rest where that is due, or over a new connection where somebody waits.
func (p *connPool) put(c *conn, mustRest bool) {
	c.since = time.Now()
	c.reader.Release()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !mustRest && p.handLocked(c):
	case p.closed || len(p.waiting) > 0 || len(p.idle)+len(p.resting) >= p.maxIdle:
		p.dropLocked(c)
	case mustRest:
		p.resting = append(p.resting, c)
		p.armLocked()
	default:
		p.idle = append(p.idle, c)
		p.armLocked()
	}
}

// handLocked gives c, or with nil its place, to the one who waits longest.
func (p *connPool) handLocked(c *conn) bool {
	if len(p.waiting) == 0 {
		return false
	}
	p.waiting[0].turn <- c
	p.waiting = slices.Delete(p.waiting, 0, 1)
	return true
}

// drop closes a connection and frees its place.
func (p *connPool) drop(c *conn) {
	c.reader.Reset(nil)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dropLocked(c)
}

func (p *connPool) dropLocked(c *conn) {
	c.kill()
	if !p.handLocked(nil) {
		p.open--
	}
}

// armLocked makes sweep run once the connections that are idle now are too old.
func (p *connPool) armLocked() {
	if !p.armed {
		p.armed = true
		p.sweeper.Reset(p.idleTimeout)
	}
}

// sweep closes what was idle for too long. It runs on the timer's goroutine and
// comes again when the oldest of the rest will be too old.
func (p *connPool) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, oldest := time.Now(), time.Duration(0)
	isOld := func(c *conn) bool {
		age := now.Sub(c.since)
		if p.closed || age >= p.idleTimeout {
			p.dropLocked(c)
			return true
		}
		oldest = max(oldest, age)
		return false
	}
	p.resting = slices.DeleteFunc(p.resting, isOld)
	p.idle = slices.DeleteFunc(p.idle, isOld)
	p.armed = len(p.idle)+len(p.resting) > 0
	if p.armed {
		p.sweeper.Reset(p.idleTimeout - oldest)
	}
}

func (p *connPool) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.sweep()
}
