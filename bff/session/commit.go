package session

import (
	"context"
	"time"

	"coatcheck/bff/credential"
)

const (
	commitQuick = time.Second      // waiters get ErrUnavailable after this
	commitMost  = 10 * time.Minute // how long a new credential waits for its store
	commitPause = 200 * time.Millisecond
)

// commit writes a new credential at the generation that was read. The API may
// have made the old one useless by giving the new one, so a store that is away
// just now must not lose it: the write is tried again for ten minutes, or until Close.
func (r *refresh) commit(ctx context.Context, s *Session, fresh *credential.Credential) (*Session, error) {
	m := r.m
	o := m.settings.Load()
	rec := &record{id: s.ID, subject: s.Subject, provider: s.Provider, user: s.User, created: s.Created, ends: s.Ends, credential: fresh}
	plain := rec.encode()
	sealed, err := seal(o.ring[0], r.t, m.key(r.h), s.Frontend, s.Generation+1, plain)
	if err != nil {
		return nil, err
	}
	epoch, asked := m.near.epoch(r.h), m.clock.elapsed()
	outcome, err := r.write(ctx, Swap{At: s.Generation, Sealed: sealed, Owner: r.owner, Note: m.renewedNote(r.h, s.Generation+1)})
	switch {
	case err != nil:
		return nil, unavailable("refresh", err)
	case outcome == Gone:
		return nil, r.orphan(ctx, s, fresh)
	case outcome == OtherGeneration:
		// Another holder was faster, or our own write whose answer was lost.
		m.near.drop(r.h)
		return m.load(ctx, o, s.Frontend, r.t, r.h)
	}
	next := sessionOf(r.h, opened{seen: s.seen, generation: s.Generation + 1, frontend: s.Frontend, plain: plain}, rec)
	r.mine = true
	if o.near > 0 {
		m.near.renew(r.h, epoch, asked, next)
	}
	m.notices.tell(r.h)
	return next, nil
}

// write replaces the record, again and again while the store is away.
func (r *refresh) write(ctx context.Context, s Swap) (Outcome, error) {
	m := r.m
	begun := m.clock.elapsed()
	for {
		outcome, err := m.store.Replace(ctx, m.key(r.h), s)
		late := m.clock.elapsed() - begun
		if err == nil || late > commitMost {
			return outcome, err
		}
		if late > commitQuick {
			m.flights.answer(r.flight, nil, unavailable("refresh", err))
		}
		select {
		case <-m.closing.Done():
			m.log.Error("a renewed credential could not be stored", "session", r.old.LogID)
			return outcome, err
		case <-time.After(commitPause):
		}
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
