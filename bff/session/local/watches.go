package local

import (
	"sync"

	"coatcheck/bff/session/ticket"
)

// Watches are the streams that run under sessions, which end for a reason.
type Watches[Reason any] struct {
	mu sync.Mutex
	by map[ticket.Hash]map[*Watch[Reason]]struct{}
}

// Watch is one stream.
type Watch[Reason any] struct {
	ended func(Reason)
	at    ticket.Hash // in Watches.by
}

// NewWatch makes a stream, whose end is reported to ended.
func NewWatch[Reason any](ended func(Reason)) *Watch[Reason] { return &Watch[Reason]{ended: ended} }

// Init makes it empty.
func (w *Watches[Reason]) Init() { w.by = map[ticket.Hash]map[*Watch[Reason]]struct{}{} }

// Add begins to watch the session of h.
func (w *Watches[Reason]) Add(h ticket.Hash, x *Watch[Reason]) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by[h] == nil {
		w.by[h] = map[*Watch[Reason]]struct{}{}
	}
	w.by[h][x] = struct{}{}
	x.at = h
}

// Move lets the streams of a session go on under the hash that it has now.
func (w *Watches[Reason]) Move(from, to ticket.Hash) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for x := range w.by[from] {
		if w.by[to] == nil {
			w.by[to] = map[*Watch[Reason]]struct{}{}
		}
		w.by[to][x] = struct{}{}
		x.at = to
	}
	delete(w.by, from)
}

// Remove forgets a stream, wherever its session has moved.
func (w *Watches[Reason]) Remove(x *Watch[Reason]) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.by[x.at], x)
	if len(w.by[x.at]) == 0 {
		delete(w.by, x.at)
	}
}

// Tell ends the streams of h.
func (w *Watches[Reason]) Tell(h ticket.Hash, reason Reason) {
	w.mu.Lock()
	streams := w.by[h]
	delete(w.by, h)
	w.mu.Unlock()
	for x := range streams {
		x.ended(reason)
	}
}

// All are the sessions with streams.
func (w *Watches[Reason]) All() []ticket.Hash {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]ticket.Hash, 0, len(w.by))
	for h := range w.by {
		all = append(all, h)
	}
	return all
}
