package session

import "sync"

// notices wakes who waits for news of a session.
type notices struct {
	mu      sync.Mutex
	waiting map[hash]*notice
}

type notice struct {
	told    chan struct{}
	waiters int
}

func (n *notices) init() { n.waiting = map[hash]*notice{} }

// wait returns a channel that is closed at the next news of h. Call stop when
// done with it.
func (n *notices) wait(h hash) (told <-chan struct{}, stop func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := n.waiting[h]
	if w == nil {
		w = &notice{told: make(chan struct{})}
		n.waiting[h] = w
	}
	w.waiters++
	return w.told, func() { n.leave(h, w) }
}

func (n *notices) leave(h hash, w *notice) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if w.waiters--; w.waiters == 0 && n.waiting[h] == w {
		delete(n.waiting, h)
	}
}

// tell wakes everyone who waits for h.
func (n *notices) tell(h hash) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if w := n.waiting[h]; w != nil {
		delete(n.waiting, h)
		close(w.told)
	}
}

// busy is a set of sessions that somebody is at work on.
type busy struct {
	mu  sync.Mutex
	set map[hash]struct{}
}

func (b *busy) init() { b.set = map[hash]struct{}{} }

// begin reports whether nobody else is at it.
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
