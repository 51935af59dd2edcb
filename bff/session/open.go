package session

import (
	"context"
	"errors"
	"fmt"
)

// open makes a session of what lies in the store under t's key, for frontend, if it
// still lives.
func (m *Manager) open(ctx context.Context, o *settings, frontend string, t Ticket, h hash, value []byte) (*Session, error) {
	s, err := m.read(ctx, o, frontend, t, h, value)
	if err != nil {
		return nil, err
	}
	if !o.lives(s, m.Now()) {
		m.over(h, Expired)
		return nil, Dead{Expired}
	}
	if reason, ended := m.endings.reason(h); ended {
		_ = m.endAgain(ctx, h, reason) // a failure is mended by the next look
		return nil, Dead{reason}
	}
	return s, nil
}

// read is open without a look at the time: what lies there, for frontend.
func (m *Manager) read(ctx context.Context, o *settings, frontend string, t Ticket, h hash, value []byte) (*Session, error) {
	if value == nil {
		return nil, m.gone(ctx, h)
	}
	s, err := o.ring.session(t, h, m.key(h), value)
	if err != nil {
		return nil, m.unreadable(ctx, frontend, h, err)
	}
	if s.Frontend != frontend {
		m.securityEvent("ticket_of_another_frontend", "frontend", frontend, "session", s.LogID)
		return nil, Dead{Expired}
	}
	return s, nil
}

// session unseals and decodes a stored value.
func (ring keyring) session(t Ticket, h hash, key string, value []byte) (*Session, error) {
	o, err := ring.unseal(t, key, value)
	if err != nil {
		return nil, err
	}
	r, err := decodeRecord(o.plain)
	if err != nil {
		return nil, err
	}
	if o.seen.After(r.ends) {
		return nil, errCorrupt // the stamp is not sealed, but it cannot lie there
	}
	return sessionOf(h, o, r), nil
}

// gone says why there is no record any more, and tells whoever waits for it.
func (m *Manager) gone(ctx context.Context, h hash) error {
	if reason, ended := m.endings.reason(h); ended {
		return Dead{reason}
	}
	reason, err := m.store.Tombstone(ctx, m.key(h))
	if err != nil || reason == "" {
		m.over(h, Expired)
		return Dead{Expired}
	}
	m.ended(h, reasonOf(string(reason)))
	return Dead{reasonOf(string(reason))}
}

// unreadable judges the record of a session that does not open.
func (m *Manager) unreadable(ctx context.Context, frontend string, h hash, why error) error {
	return m.judge(frontend, why, func() error {
		_, _, err := m.remove(ctx, h, Removal{Reason: Expired})
		return err
	})
}

// judge judges a record that does not open. Only a corrupt one is removed: under an
// unknown key or in a newer format it is another replica's business. Under an unknown
// key the error is [Dead] and errUnknownKey: it may live elsewhere.
func (m *Manager) judge(frontend string, why error, remove func() error) error {
	switch {
	case errors.Is(why, errNewer):
		m.warn("session record of a newer version", "frontend", frontend)
		return unavailable("find", why)
	case errors.Is(why, errUnknownKey):
		m.warn("session sealed under a key that is not in sessions.keys", "frontend", frontend)
		return fmt.Errorf("%w: %w", Dead{Expired}, why)
	case !errors.Is(why, errCorrupt):
		return unavailable("find", why)
	}
	m.securityEvent("record_corrupt", "frontend", frontend)
	if err := remove(); err != nil {
		return unavailable("find", err)
	}
	return Dead{Expired}
}
