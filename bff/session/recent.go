package session

import (
	"sync"
	"time"

	"coatcheck/bff/session/store"
)

const (
	recentKept = store.TombstoneTTL
	recentMost = 1 << 17
)

// recentlyEnded remembers which sessions ended in the last ten minutes, whoever ended them: a
// failover may bring such a session back. The oldest is forgotten when there are
// too many.
type recentlyEnded struct {
	mu    sync.RWMutex
	by    map[hash]ending
	order []hash // oldest first
}

type ending struct {
	reason Reason
	next   hash          // of the session that goes on in its place; zero: none
	at     time.Duration // reading of the local clock
}

func (e *recentlyEnded) init() { e.by = map[hash]ending{} }

func (e *recentlyEnded) add(h hash, x ending) {
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

// last is where the session of h goes on, over any number of exchanges; h itself where
// it does not.
func (e *recentlyEnded) last(h hash) hash {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for range recentMost { // a circle cannot be, and must not hang
		next := e.by[h].next
		if next == (hash{}) {
			break
		}
		h = next
	}
	return h
}

func (e *recentlyEnded) reason(h hash) (Reason, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	x, ok := e.by[h]
	return x.reason, ok
}

// sweep forgets what ended before oldest.
func (e *recentlyEnded) sweep(oldest time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.order) > 0 && e.by[e.order[0]].at < oldest {
		e.forgetOldest()
	}
}

func (e *recentlyEnded) forgetOldest() {
	delete(e.by, e.order[0])
	e.order = e.order[1:]
}

// all returns what is remembered.
func (e *recentlyEnded) all() map[hash]Reason {
	e.mu.RLock()
	defer e.mu.RUnlock()
	all := make(map[hash]Reason, len(e.by))
	for h, x := range e.by {
		all[h] = x.reason
	}
	return all
}
