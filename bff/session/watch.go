package session

import "sync"

// watches are the streams that run under sessions.
type watches struct {
	mu sync.Mutex
	by map[hash]map[*watch]struct{}
}

type watch struct {
	ended func(Reason)
	at    hash // in watches.by
}

func (w *watches) init() { w.by = map[hash]map[*watch]struct{}{} }

// Watch calls ended, once at most, when the session of t ends here, or word
// comes that it ended elsewhere, or a look at the store (every five seconds, for
// all watched sessions together) finds it gone. ended must not block. After stop has
// returned it is not called any more, unless the session's end was being told just
// then.
func (m *Manager) Watch(t Ticket, ended func(Reason)) (stop func()) {
	h, x := t.Hash(), &watch{ended: ended}
	m.watches.add(h, x)
	// It may have ended, or moved, between the caller's Find and now.
	if last := m.recent.last(h); last != h {
		m.watches.move(h, last)
		h = last
	}
	if reason, over := m.recent.reason(h); over {
		m.watches.tell(h, reason)
	}
	return func() { m.watches.remove(x) }
}

func (w *watches) add(h hash, x *watch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by[h] == nil {
		w.by[h] = map[*watch]struct{}{}
	}
	w.by[h][x] = struct{}{}
	x.at = h
}

// move lets the streams of a session go on under the hash that it has now.
func (w *watches) move(from, to hash) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for x := range w.by[from] {
		if w.by[to] == nil {
			w.by[to] = map[*watch]struct{}{}
		}
		w.by[to][x] = struct{}{}
		x.at = to
	}
	delete(w.by, from)
}

func (w *watches) remove(x *watch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.by[x.at], x)
	if len(w.by[x.at]) == 0 {
		delete(w.by, x.at)
	}
}

// tell ends the streams of h.
func (w *watches) tell(h hash, reason Reason) {
	w.mu.Lock()
	streams := w.by[h]
	delete(w.by, h)
	w.mu.Unlock()
	for x := range streams {
		x.ended(reason)
	}
}

func (w *watches) all() []hash {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]hash, 0, len(w.by))
	for h := range w.by {
		all = append(all, h)
	}
	return all
}
