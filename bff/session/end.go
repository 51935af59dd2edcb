package session

import (
	"context"
	"errors"
)

// End ends the session that t opens at frontend, everywhere, and returns it as
// it was last, so that the API can be told; nil if there was none. One that only
// this replica holds for idle too long is ended as well: the settings of another
// may differ.
//
// Its error is [ErrUnavailable]: then the session may go on, and the cookie must be
// kept. That is also so where this replica lacks the key of the record.
func (m *Manager) End(ctx context.Context, frontend string, t Ticket, why Reason) (*Session, error) {
	if t.IsZero() {
		return nil, nil
	}
	o, h := m.settings.Load(), t.hash()
	// A ticket must end nothing at another frontend than its own.
	there, err := m.endable(ctx, o, frontend, t, h)
	if err != nil || !there {
		return nil, err
	}
	value, outcome, err := m.remove(ctx, h, Removal{Reason: why})
	if err != nil {
		return nil, unavailable("end", err)
	}
	if outcome != Done {
		return nil, nil
	}
	// What was removed may be newer than what was looked at.
	s, err := o.ring.session(t, h, m.key(h), value)
	if err != nil {
		// It is gone, but the API cannot be told, and the list heals later.
		m.securityEvent("removed_record_unreadable", "frontend", frontend, "error", err)
		return nil, nil
	}
	m.dropEntries(ctx, o, s.Frontend, s.Subject, s.ID)
	return s, nil
}

// endable reports whether a record lies in the store that t opens at frontend,
// however old; one that a failover brought back is ended again, and does not count.
// Its error is [ErrUnavailable].
func (m *Manager) endable(ctx context.Context, o *settings, frontend string, t Ticket, h hash) (bool, error) {
	value, err := m.store.Load(ctx, m.key(h))
	if err != nil {
		return false, unavailable("end", err)
	}
	_, err = m.read(ctx, o, frontend, t, h, value)
	if errors.Is(err, errUnknownKey) {
		return false, unavailable("end", errUnknownKey)
	}
	if err != nil {
		return false, unlessDead(err)
	}
	if reason, ended := m.endings.reason(h); ended {
		if err := m.endAgain(ctx, h, reason); err != nil {
			return false, unavailable("end", err)
		}
		return false, nil
	}
	return true, nil
}

// Refused ends the session whose credential the API refused, unless it has got another
// one meanwhile; then it returns the session with that. Its error is [Dead] once the
// session is over, with the reason Upstream if this call ended it, or [ErrUnavailable].
func (m *Manager) Refused(ctx context.Context, s *Session, t Ticket) (*Session, error) {
	h := t.hash()
	_, outcome, err := m.remove(ctx, h, Removal{At: s.Generation, Reason: Upstream})
	switch {
	case err != nil:
		return nil, unavailable("refused", err)
	case outcome == Done:
		m.dropEntries(ctx, m.settings.Load(), s.Frontend, s.Subject, s.ID)
		return nil, Dead{Upstream}
	case outcome == Gone:
		return nil, m.gone(ctx, h)
	}
	return m.load(ctx, m.settings.Load(), s.Frontend, t, h)
}

func unlessDead(err error) error {
	var dead Dead
	if errors.As(err, &dead) {
		return nil
	}
	return err
}

// remove ends what lies under h and, if it did, tells everyone.
func (m *Manager) remove(ctx context.Context, h hash, r Removal) ([]byte, Outcome, error) {
	r.Note = m.endedNote(h, r.Reason)
	value, outcome, err := m.store.Remove(ctx, m.key(h), r)
	switch {
	case err != nil:
		m.near.drop(h) // it may have been removed all the same
	case outcome == Done:
		m.counts.endedFor(r.Reason)
		m.ended(h, r.Reason)
	case outcome == Gone:
		m.near.drop(h)
	}
	return value, outcome, err
}

// ended takes in that a session was ended: it is remembered, so that it cannot
// come back, and over.
func (m *Manager) ended(h hash, reason Reason) {
	m.endings.add(h, reason, m.clock.elapsed())
	m.over(h, reason)
}

// over takes in that there is no such session now: the near cache forgets it,
// its streams end, and who waits for its new token looks again.
func (m *Manager) over(h hash, reason Reason) {
	m.near.drop(h)
	m.notices.tell(h)
	m.watches.tell(h, reason)
}

// endAgain removes a session that had ended and was brought back, by a failover
// to a server that had not heard of its end.
func (m *Manager) endAgain(ctx context.Context, h hash, reason Reason) error {
	_, outcome, err := m.remove(ctx, h, Removal{Reason: reason})
	if err == nil && outcome == Done {
		m.counts.endedAgain.Add(1)
		m.securityEvent("session_came_back", "reason", string(reason))
	}
	return err
}
