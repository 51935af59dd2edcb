package session

import "coatcheck/bff/session/local"

// Watch calls ended, once at most, when the session of t ends here, or word
// comes that it ended elsewhere, or a look at the store (every five seconds, for
// all watched sessions together) finds it gone. ended must not block. After stop has
// returned it is not called any more, unless the session's end was being told just
// then.
func (m *Manager) Watch(t Ticket, ended func(Reason)) (stop func()) {
	h, x := t.Hash(), local.NewWatch(ended)
	m.watches.Add(h, x)
	// It may have ended, or moved, between the caller's Find and now.
	if last := m.recent.Last(h); last != h {
		m.watches.Move(h, last)
		h = last
	}
	if reason, over := m.recent.Reason(h); over {
		m.watches.Tell(h, reason)
	}
	return func() { m.watches.Remove(x) }
}
