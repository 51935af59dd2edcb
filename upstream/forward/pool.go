package forward

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"coatcheck/upstream"
)

// rest is how long a connection is kept back after a response that has no body by
// rule: the time in which a faulty API's body for it would arrive.
const rest = 100 * time.Millisecond

var (
	errPoolClosed = errors.New("forwarder is closed")
	errFull       = fmt.Errorf("%w: all of max_connections are in use", upstream.ErrBusy)
)

// connPool keeps idle connections and counts all of them. The one put last is
// reused first, so that a quiet time closes what is not needed.
type connPool struct {
	maxOpen, maxIdle int
	idleTimeout      time.Duration
	personal         bool // a kept connection serves its owner only

	mu      sync.Mutex
	open    int     // idle, at work, tunnelling or being opened
	idle    []*conn // the last is the freshest
	resting []*conn // the first has rested longest
	waiting queue
	sweeper *time.Timer
	armed   bool
	closed  bool
}

func (p *connPool) init(maxOpen, maxIdle int, idleTimeout time.Duration, personal bool) {
	p.maxOpen, p.maxIdle, p.idleTimeout, p.personal = maxOpen, min(maxIdle, maxOpen), idleTimeout, personal
	p.sweeper = time.AfterFunc(time.Hour, p.sweep)
	p.sweeper.Stop()
}

func (p *connPool) count() (open, idle int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open, len(p.idle) + len(p.resting)
}

// waiters is how many wait for a place.
func (p *connPool) waiters() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting.length
}

// reuse returns an idle connection that owner may use, or nil.
func (p *connPool) reuse(now time.Time, owner string) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reuseLocked(now, owner)
}

func (p *connPool) reuseLocked(now time.Time, owner string) *conn {
	rested := 0
	for rested < len(p.resting) && now.Sub(p.resting[rested].since) >= rest {
		rested++
	}
	if rested > 0 {
		p.idle = append(p.idle, p.resting[:rested]...)
		p.resting = slices.Delete(p.resting, 0, rested)
	}
	for i := len(p.idle) - 1; i >= 0; i-- {
		c := p.idle[i]
		if !p.fits(c, owner) {
			continue
		}
		p.idle = slices.Delete(p.idle, i, i+1)
		if now.Sub(c.since) < p.idleTimeout {
			return c
		}
		p.dropLocked(c)
	}
	return nil
}

// fits reports whether owner may use c again.
func (p *connPool) fits(c *conn, owner string) bool { return !p.personal || c.owner == owner }

// reserve takes a place for c, which the caller then opens; nil says that it may. Where
// all places are taken it waits, for so long as patience or until c is killed, and may get
// a connection that came back.
func (p *connPool) reserve(c *conn, patience time.Duration) (old *conn, err error) {
	p.mu.Lock()
	old, w, err := p.reserveLocked(c.owner)
	p.mu.Unlock()
	if w == nil {
		return old, err
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case old := <-w.turn:
		return old, nil
	case <-timer.C:
		return p.withdraw(w, errFull)
	case <-c.end():
		return p.withdraw(w, ErrAborted)
	}
}

// reserveLocked is reserve without the waiting: it returns who has to wait.
func (p *connPool) reserveLocked(owner string) (*conn, *waiter, error) {
	if p.closed {
		return nil, nil, errPoolClosed
	}
	if p.open < p.maxOpen {
		p.open++
		return nil, nil, nil
	}
	if c := p.reuseLocked(time.Now(), owner); c != nil {
		return c, nil, nil
	}
	if oldest := p.oldestLocked(); oldest != nil {
		oldest.kill() // its place is of more use
		return nil, nil, nil
	}
	w := &waiter{turn: make(chan *conn, 1), owner: owner}
	p.waiting.join(w)
	return nil, w, nil
}

// oldestLocked takes out the kept connection that is least likely to be used again: one
// that rests, else the one idle longest; nil where none is kept. Its place is the
// caller's.
func (p *connPool) oldestLocked() (c *conn) {
	from := &p.resting
	if len(*from) == 0 {
		from = &p.idle
	}
	if len(*from) == 0 {
		return nil
	}
	c = (*from)[0]
	*from = slices.Delete(*from, 0, 1)
	return c
}

// withdraw ends a waiter, unless its turn came in the same moment.
func (p *connPool) withdraw(w *waiter, cause error) (*conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.waiting.leave(w) {
		return <-w.turn, nil
	}
	return nil, cause
}

// put takes back a connection that is fit for another call, which comes after a
// rest where that is due, or over a new connection where somebody waits.
func (p *connPool) put(c *conn, mustRest bool, now time.Time) {
	c.since = now
	c.reader.Release()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !mustRest && p.handLocked(c) {
		return
	}
	full := len(p.idle)+len(p.resting) >= p.maxIdle
	if full && p.personal && p.waiting.length == 0 {
		if oldest := p.oldestLocked(); oldest != nil { // whoever owns it has not called for longest
			p.dropLocked(oldest)
			full = false
		}
	}
	switch {
	case p.closed || full || p.waiting.length > 0:
		p.dropLocked(c)
	case mustRest:
		p.resting = append(p.resting, c)
		p.armLocked()
	default:
		p.idle = append(p.idle, c)
		p.armLocked()
	}
}

// handLocked gives c, or with nil its place, to the one who waits longest. Who may not
// use c gets its place.
func (p *connPool) handLocked(c *conn) bool {
	w := p.waiting.first
	if w == nil {
		return false
	}
	p.waiting.leave(w)
	if c != nil && !p.fits(c, w.owner) {
		c.kill()
		c = nil
	}
	w.turn <- c
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
