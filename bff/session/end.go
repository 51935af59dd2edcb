package session

import (
	"context"
	"errors"

	"coatcheck/bff/keyring"
	"coatcheck/bff/session/record"
	"coatcheck/bff/session/store"
)

// End ends the session that t opens at frontend, everywhere, and returns it as
// it was last, so that the API can be notified; nil if there was none. One that only
// this replica holds for idle too long is ended as well: the settings of another
// may differ.
//
// Its error is [store.ErrUnavailable]: then the session may go on, and the cookie must be
// kept. That is also so where this replica lacks the key of the record.
func (m *Manager) End(ctx context.Context, frontend string, t Ticket, why Reason) (*Session, error) {
	if t.IsZero() {
		return nil, nil
	}
	o, h := m.settings.Load(), t.Hash()
	// A ticket must end nothing at another frontend than its own.
	there, err := m.endable(ctx, o, frontend, t, h)
	if err != nil || !there {
		return nil, err
	}
	value, outcome, err := m.remove(ctx, h, 0, why)
	if err != nil {
		return nil, store.Unavailable("end", err)
	}
	if outcome != store.Done {
		return nil, nil
	}
	// What was removed may be newer than what was looked at.
	removed, err := record.Open(o.ring, t.RevealBytes(), m.key(h), value)
	if err != nil {
		// It is gone, but the API cannot be notified, and the list heals later.
		m.securityEvent("removed_record_unreadable", "frontend", frontend, "error", err)
		return nil, nil
	}
	s := sessionOf(h, removed)
	m.dropEntries(ctx, o, s.Frontend, s.Subject, s.ID)
	return s, nil
}

// Refused ends the session whose credential the API refused, unless it has got another
// one meanwhile; then it returns the session with that. Its error is [EndedError] once the
// session is over, with the reason Upstream if this call ended it, or [store.ErrUnavailable].
func (m *Manager) Refused(ctx context.Context, s *Session, t Ticket) (*Session, error) {
	h := t.Hash()
	_, outcome, err := m.remove(ctx, h, s.Generation, Upstream)
	switch {
	case err != nil:
		return nil, store.Unavailable("refused", err)
	case outcome == store.Done:
		m.dropEntries(ctx, m.settings.Load(), s.Frontend, s.Subject, s.ID)
		return nil, EndedError{Upstream}
	case outcome == store.Gone:
		return nil, m.gone(ctx, h)
	}
	return m.load(ctx, m.settings.Load(), s.Frontend, t, h)
}

func unlessEnded(err error) error {
	var ended EndedError
	if errors.As(err, &ended) {
		return nil
	}
	return err
}

// endable reports whether a record is in the store that t opens at frontend,
// however old; one that a failover brought back is ended again, and does not count.
// Its error is [store.ErrUnavailable].
func (f *finder) endable(ctx context.Context, o *settings, frontend string, t Ticket, h hash) (bool, error) {
	value, err := f.store.Load(ctx, f.key(h))
	if err != nil {
		return false, store.Unavailable("end", err)
	}
	_, err = f.read(ctx, o, frontend, t, h, value)
	if errors.Is(err, keyring.ErrUnknownKey) {
		return false, store.Unavailable("end", keyring.ErrUnknownKey)
	}
	if err != nil {
		return false, unlessEnded(err)
	}
	if reason, ended := f.recent.Reason(h); ended {
		if err := f.endAgain(ctx, h, reason); err != nil {
			return false, store.Unavailable("end", err)
		}
		return false, nil
	}
	return true, nil
}
