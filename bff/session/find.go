package session

import (
	"context"
	"errors"
	"time"
)

// Find returns the session that t opens at frontend, for a call, and extends its
// idle time; that is written at most once a minute, or once in a tenth of the
// idle timeout if that is shorter. With the session in the near cache it asks
// the store nothing else.
//
// Errors are [Dead] (the ticket opens nothing here) and [ErrUnavailable] (keep
// the cookie). A failed extension is no error: it is tried again with the next
// call.
func (m *Manager) Find(ctx context.Context, frontend string, t Ticket) (*Session, error) {
	o := m.settings.Load()
	s, err := m.current(ctx, o, frontend, t)
	if err != nil {
		return nil, err
	}
	if m.Now().Sub(s.seen) < o.touch || !m.touching.begin(s.hash) {
		return s, nil
	}
	defer m.touching.end(s.hash)
	extended, err := m.touch(ctx, o, s)
	if errors.Is(err, ErrUnavailable) {
		return s, nil
	}
	return extended, err
}

// Look returns the session that t opens at frontend and never extends it. Errors
// are as for [Manager.Find].
func (m *Manager) Look(ctx context.Context, frontend string, t Ticket) (*Session, error) {
	return m.current(ctx, m.settings.Load(), frontend, t)
}

// Extend returns the session that t opens at frontend after its idle time was
// extended in the store, which it always is. Errors are as with [Manager.Find].
func (m *Manager) Extend(ctx context.Context, frontend string, t Ticket) (*Session, error) {
	o := m.settings.Load()
	s, err := m.current(ctx, o, frontend, t)
	if err != nil {
		return nil, err
	}
	return m.touch(ctx, o, s)
}

// IdleLeft is how long s lives without another call, as far as s knows: another
// replica may have extended it since. It is at least zero and never more than was
// granted, however clocks differ.
func (m *Manager) IdleLeft(s *Session) time.Duration {
	o := m.settings.Load()
	idle := min(s.seen.Add(o.idle).Sub(m.Now()), o.idle)
	return max(0, min(idle, m.Left(s)))
}

// Left is how long s lives at most, whatever it does. It is at least zero and never
// more than was granted.
func (m *Manager) Left(s *Session) time.Duration {
	return max(0, min(s.Ends.Sub(m.Now()), s.Ends.Sub(s.Created)))
}

// current returns the session as it is, from the near cache or the store.
func (m *Manager) current(ctx context.Context, o *settings, frontend string, t Ticket) (*Session, error) {
	if t.IsZero() {
		return nil, Dead{Expired}
	}
	h := t.hash()
	if o.near > 0 {
		now := m.clock.elapsed()
		s := m.near.get(h, frontend, now-o.near)
		// One that looks idle here may have been extended by another replica.
		if s != nil && o.lives(s, m.clock.at(now)) {
			m.counts.nearHits.Add(1)
			return s, nil
		}
	}
	m.counts.nearMisses.Add(1)
	return m.load(ctx, o, frontend, t, h)
}

// lives reports whether s is neither idle too long nor at its end.
func (o *settings) lives(s *Session, now time.Time) bool {
	return now.Before(s.Ends) && now.Sub(s.seen) < o.idle
}

// load asks the store.
func (m *Manager) load(ctx context.Context, o *settings, frontend string, t Ticket, h hash) (*Session, error) {
	if reason, ended := m.endings.reason(h); ended {
		return nil, Dead{reason}
	}
	if err := m.needClock(ctx); err != nil {
		return nil, err
	}
	l, err := m.fetch(ctx, o, h)
	if err != nil {
		return nil, unavailable("find", err)
	}
	s, err := m.open(ctx, o, frontend, t, h, l.value)
	if err == nil && o.near > 0 {
		m.near.put(h, l.epoch, l.asked, s)
	}
	return s, err
}

// touch writes the extension of a session, if it still exists.
func (m *Manager) touch(ctx context.Context, o *settings, s *Session) (*Session, error) {
	epoch, asked := m.near.epoch(s.hash), m.clock.elapsed()
	people := o.people(m.prefix, s.Frontend, s.Subject)
	found, err := m.store.Touch(ctx, m.key(s.hash), Touch{Idle: o.idle, Ends: s.Ends, People: people, ID: s.ID})
	if err != nil {
		return nil, unavailable("extend", err)
	}
	m.counts.touches.Add(1)
	if found.Seen.IsZero() {
		return nil, m.gone(ctx, s.hash)
	}
	m.clock.measure(asked, m.clock.elapsed(), found.Seen)
	if !found.Indexed {
		m.indexAgain(ctx, o, s)
	}
	extended := s.seenAt(found.Seen)
	if o.near > 0 {
		m.near.put(s.hash, epoch, asked, extended)
	}
	return extended, nil
}
