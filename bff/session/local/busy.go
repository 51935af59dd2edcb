package local

import (
	"sync"

	"coatcheck/bff/session/ticket"
)

// Busy is a set of sessions that somebody is working on.
type Busy struct {
	mu  sync.Mutex
	set map[ticket.Hash]struct{}
}

// Init makes b ready.
func (b *Busy) Init() { b.set = map[ticket.Hash]struct{}{} }

// Begin reports whether nobody else is working on h.
func (b *Busy) Begin(h ticket.Hash) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, taken := b.set[h]; taken {
		return false
	}
	b.set[h] = struct{}{}
	return true
}

// End ends what [Busy.Begin] began.
func (b *Busy) End(h ticket.Hash) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.set, h)
}
