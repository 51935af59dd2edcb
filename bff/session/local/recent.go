package local

import (
	"sync"
	"time"

	"coatcheck/bff/session/ticket"
)

// recentMost bounds how many are remembered.
const recentMost = 1 << 17

// Recent remembers which sessions ended lately, whoever ended them: a failover may bring
// such a session back. The oldest is forgotten when there are too many.
type Recent[Reason any] struct {
	mu    sync.RWMutex
	by    map[ticket.Hash]ending[Reason]
	order []ticket.Hash // oldest first
}

type ending[Reason any] struct {
	reason Reason
	next   ticket.Hash   // of the session that goes on in its place; zero: none
	at     time.Duration // reading of the local clock
}

// Init makes e ready.
func (e *Recent[Reason]) Init() { e.by = map[ticket.Hash]ending[Reason]{} }

// Add takes note that the session of h ended, at a reading of the local clock. The first
// word on a session stays.
func (e *Recent[Reason]) Add(h ticket.Hash, reason Reason, at time.Duration) {
	e.add(h, ending[Reason]{reason: reason, at: at})
}

// Move takes note that the session of h goes on as that of next, and is over under h.
func (e *Recent[Reason]) Move(h, next ticket.Hash, reason Reason, at time.Duration) {
	e.add(h, ending[Reason]{reason: reason, next: next, at: at})
}

func (e *Recent[Reason]) add(h ticket.Hash, x ending[Reason]) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, known := e.by[h]; known {
		return
	}
	if len(e.order) >= recentMost {
		e.forgetOldest()
	}
	e.by[h] = x
	e.order = append(e.order, h)
}

// Last is where the session of h goes on, over any number of exchanges; h itself where
// it does not.
func (e *Recent[Reason]) Last(h ticket.Hash) ticket.Hash {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for range recentMost { // a circle cannot be, and must not hang
		next := e.by[h].next
		if next == (ticket.Hash{}) {
			break
		}
		h = next
	}
	return h
}

// Reason is why the session of h ended; false: it is not known to have ended.
func (e *Recent[Reason]) Reason(h ticket.Hash) (reason Reason, ended bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	x, ok := e.by[h]
	return x.reason, ok
}

// Sweep forgets what ended before oldest.
func (e *Recent[Reason]) Sweep(oldest time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.order) > 0 && e.by[e.order[0]].at < oldest {
		e.forgetOldest()
	}
}

func (e *Recent[Reason]) forgetOldest() {
	delete(e.by, e.order[0])
	e.order = e.order[1:]
}

// All returns what is remembered.
func (e *Recent[Reason]) All() map[ticket.Hash]Reason {
	e.mu.RLock()
	defer e.mu.RUnlock()
	all := make(map[ticket.Hash]Reason, len(e.by))
	for h, x := range e.by {
		all[h] = x.reason
	}
	return all
}
