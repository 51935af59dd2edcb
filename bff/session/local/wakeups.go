package local

import (
	"sync"

	"coatcheck/bff/session/ticket"
)

// WakeUps wakes those who wait for an event of a session.
type WakeUps struct {
	mu      sync.Mutex
	waiting map[ticket.Hash]*wakeUp
}

type wakeUp struct {
	done    chan struct{}
	waiters int
}

// Init makes w ready.
func (w *WakeUps) Init() { w.waiting = map[ticket.Hash]*wakeUp{} }

// Wait returns a channel that is closed at the next event of h. Call stop when
// done with it.
func (w *WakeUps) Wait(h ticket.Hash) (done <-chan struct{}, stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one := w.waiting[h]
	if one == nil {
		one = &wakeUp{done: make(chan struct{})}
		w.waiting[h] = one
	}
	one.waiters++
	return one.done, func() { w.leave(h, one) }
}

func (w *WakeUps) leave(h ticket.Hash, one *wakeUp) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one.waiters--; one.waiters == 0 && w.waiting[h] == one {
		delete(w.waiting, h)
	}
}

// Wake wakes everyone who waits for h.
func (w *WakeUps) Wake(h ticket.Hash) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one := w.waiting[h]; one != nil {
		delete(w.waiting, h)
		close(one.done)
	}
}
