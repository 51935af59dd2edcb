package local

import (
	"sync"
	"time"

	"coatcheck/bff/session/ticket"
)

// endedMost bounds how many endings are remembered.
const endedMost = 1 << 17

// Ended remembers which sessions ended lately, whoever ended them: a failover may bring
// such a session back. The oldest is forgotten when there are too many.
type Ended[Reason any] struct {
	mu    sync.RWMutex
	by    map[ticket.Hash]Ending[Reason]
	order []ticket.Hash // oldest first
}

// Ending is how one session ended.
type Ending[Reason any] struct {
	// Reason it ended for.
	Reason Reason
	// Next is the session that goes on in its place; zero: none.
	Next ticket.Hash
	// At is a reading of the local clock.
	At time.Duration
}

// Init makes e ready.
func (e *Ended[Reason]) Init() { e.by = map[ticket.Hash]Ending[Reason]{} }

// Add remembers an ending. The first one of a session counts.
func (e *Ended[Reason]) Add(h ticket.Hash, x Ending[Reason]) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, known := e.by[h]; known {
		return
	}
	if len(e.order) >= endedMost {
		e.forgetOldest()
	}
	e.by[h] = x
	e.order = append(e.order, h)
}

// Last is where the session of h goes on, over any number of exchanges; h itself where
// it does not.
func (e *Ended[Reason]) Last(h ticket.Hash) ticket.Hash {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for range endedMost { // a circle cannot be, and must not hang
		next := e.by[h].Next
		if next == (ticket.Hash{}) {
			break
		}
		h = next
	}
	return h
}

// Reason is why the session of h ended; false where it is not known to have ended.
func (e *Ended[Reason]) Reason(h ticket.Hash) (Reason, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	x, ok := e.by[h]
	return x.Reason, ok
}

// Sweep forgets what ended before oldest.
func (e *Ended[Reason]) Sweep(oldest time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.order) > 0 && e.by[e.order[0]].At < oldest {
		e.forgetOldest()
	}
}

func (e *Ended[Reason]) forgetOldest() {
	delete(e.by, e.order[0])
	e.order = e.order[1:]
}

// All returns what is remembered.
func (e *Ended[Reason]) All() map[ticket.Hash]Reason {
	e.mu.RLock()
	defer e.mu.RUnlock()
	all := make(map[ticket.Hash]Reason, len(e.by))
	for h, x := range e.by {
		all[h] = x.Reason
	}
	return all
}
