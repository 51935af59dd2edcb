package session

import "sync"

// wakeUps wakes those who wait for an event of a session.
type wakeUps struct {
	mu      sync.Mutex
	waiting map[hash]*wakeUp
}

type wakeUp struct {
	done    chan struct{}
	waiters int
}

func (w *wakeUps) init() { w.waiting = map[hash]*wakeUp{} }

// wait returns a channel that is closed at the next event of h. Call stop when
// done with it.
func (w *wakeUps) wait(h hash) (done <-chan struct{}, stop func()) {
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

func (w *wakeUps) leave(h hash, one *wakeUp) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one.waiters--; one.waiters == 0 && w.waiting[h] == one {
		delete(w.waiting, h)
	}
}

// wake wakes everyone who waits for h.
func (w *wakeUps) wake(h hash) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one := w.waiting[h]; one != nil {
		delete(w.waiting, h)
		close(one.done)
	}
}

// busy is a set of sessions that somebody is working on.
type busy struct {
	mu  sync.Mutex
	set map[hash]struct{}
}

func (b *busy) init() { b.set = map[hash]struct{}{} }

// begin reports whether nobody else is working on h.
func (b *busy) begin(h hash) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, taken := b.set[h]; taken {
		return false
	}
	b.set[h] = struct{}{}
	return true
}

func (b *busy) end(h hash) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.set, h)
}
