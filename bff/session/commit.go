package session

import (
	"context"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/keyring"
	"coatcheck/bff/session/record"
	"coatcheck/bff/session/store"
)

const (
	commitQuick = time.Second      // waiters get store.ErrUnavailable after this
	commitMost  = 10 * time.Minute // how long a new credential waits for its store
	commitPause = 200 * time.Millisecond
)

// commit writes a new credential at the generation that was read. The API may
// have made the old one useless by giving the new one, so a store that is away
// just now must not lose it: the write is tried again for ten minutes, or until Close.
func (r *refresh) commit(ctx context.Context, s *Session, fresh *Renewal) (*Session, error) {
	m := r.m
	o := m.settings.Load()
	rec := &record.Record{ID: s.ID, Subject: s.Subject, Provider: s.Provider, User: s.User, Persistent: s.Persistent, Created: s.Created, Ends: s.latest, Credential: fresh.Credential, Renewals: s.renewals}
	if r.purpose == "" {
		rec.Renewals++
	}
	if fresh.User != nil {
		rec.User = fresh.User
	}
	plain := rec.Encode()
	sealed, err := o.ring.First().Seal(r.t.RevealBytes(), m.key(r.h), s.Frontend, s.Generation+1, plain)
	if err != nil {
		return nil, err
	}
	epoch, asked := m.near.Epoch(r.h), m.clock.Elapsed()
	outcome, err := r.write(ctx, store.Swap{At: s.Generation, Sealed: sealed, Owner: r.owner, Note: m.renewedNote(r.h, s.Generation+1)})
	switch {
	case err != nil:
		return nil, store.Unavailable("refresh", err)
	case outcome == store.Gone:
		return nil, r.orphan(ctx, s, fresh.Credential)
	case outcome == store.OtherGeneration:
		// Another holder was faster, or our own write whose answer was lost.
		m.near.Drop(r.h)
		return m.load(ctx, o, s.Frontend, r.t, r.h)
	}
	next := sessionOf(r.h, record.Opened{Opened: keyring.Opened{Generation: s.Generation + 1, Frontend: s.Frontend, Plain: plain}, Seen: s.seen, Record: rec})
	r.mine = true
	if o.near > 0 {
		m.near.Renew(r.h, epoch, asked, next)
	}
	m.wakeUps.Wake(r.h)
	return next, nil
}

// write replaces the record, again and again while the store is away.
func (r *refresh) write(ctx context.Context, s store.Swap) (store.Outcome, error) {
	m := r.m
	begun := m.clock.Elapsed()
	for {
		outcome, err := m.store.Replace(ctx, m.key(r.h), s)
		late := m.clock.Elapsed() - begun
		if err == nil {
			return outcome, nil
		}
		if late > commitQuick {
			m.flights.answer(r.flight, nil, store.Unavailable("refresh", err))
		}
		if late > commitMost || m.closes(commitPause) {
			m.log.Error("a renewed credential could not be stored", "session", r.old.LogID)
			return outcome, err
		}
	}
}

// closes waits for d; true: Close has begun.
func (m *Manager) closes(d time.Duration) bool {
	select {
	case <-m.closing.Done():
		return true
	case <-time.After(d):
		return false
	}
}

// orphan deals with a credential that came for a session that had ended: it goes
// to the API's sign-out, as far as anybody can reach that.
func (r *refresh) orphan(ctx context.Context, s *Session, fresh *credential.Credential) error {
	err := r.m.gone(ctx, r.h)
	if r.m.orphaned != nil {
		r.m.orphaned(ctx, s, fresh)
	}
	return err
}
