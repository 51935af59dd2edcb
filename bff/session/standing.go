package session

import (
	"context"
	"errors"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session/record"
	"coatcheck/bff/session/store"
)

// Begin begins the record that t opens at frontend, with an empty credential at
// generation 1, unless there is one, and returns what is there then. So several replicas
// may begin the same record, and the first [Manager.Refresh] is one of the whole fleet.
// Nothing is put into anybody's list. t must be as secret as what the record will hold.
//
// Errors are [store.ErrUnavailable], and [EndedError] for a record that cannot be read.
func (m *Manager) Begin(ctx context.Context, frontend string, t Ticket) (*Session, error) {
	if t.IsZero() || frontend == "" {
		return nil, errors.New("session: begin: no ticket or no frontend")
	}
	if err := m.needClock(ctx); err != nil {
		return nil, err
	}
	o, h, now := m.settings.Load(), t.Hash(), m.now().Truncate(time.Millisecond)
	r := &record.Record{ID: newID(), Created: now, Ends: now.Add(o.life), Credential: credential.New(nil, time.Time{}, time.Time{})}
	sealed, err := o.ring.First().Seal(t.RevealBytes(), m.key(h), frontend, 1, r.Encode())
	if err != nil {
		return nil, err
	}
	if err := m.store.Create(ctx, m.key(h), append(store.AppendStamp(nil, now), sealed...), min(o.idle, o.life)); err != nil {
		return nil, store.Unavailable("begin", err)
	}
	m.near.Drop(h) // or a question from before would be shared, which found nothing
	return m.load(ctx, o, frontend, t, h)
}
