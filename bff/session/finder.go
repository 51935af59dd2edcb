package session

import (
	"context"
	"time"

	"coatcheck/bff/session/local"
	"coatcheck/bff/session/store"
)

// finder looks for sessions: in this replica's own knowledge, and then in the store.
type finder struct {
	*people
	loads    loads
	touching local.Busy
}

// current returns the session as it is, from the near cache or the store.
func (f *finder) current(ctx context.Context, o *settings, frontend string, t Ticket) (*Session, error) {
	if t.IsZero() {
		return nil, EndedError{Expired}
	}
	h := t.Hash()
	if o.near > 0 {
		now := f.clock.Elapsed()
		s := f.ownCopy(h, frontend, now-o.near)
		// One that looks idle here may have been extended by another replica.
		if s != nil && o.lives(s, f.clock.At(now)) {
			f.counts.nearHits.Add(1)
			return s, nil
		}
	}
	f.counts.nearMisses.Add(1)
	return f.load(ctx, o, frontend, t, h)
}

// ownCopy returns what this replica knows of a session, if that is frontend's and was
// asked of the store no earlier than oldest; else nil.
func (f *finder) ownCopy(h hash, frontend string, oldest time.Duration) *Session {
	if s := f.near.Get(h, oldest); s != nil && s.Frontend == frontend {
		return s
	}
	return nil
}

// load asks the store.
func (f *finder) load(ctx context.Context, o *settings, frontend string, t Ticket, h hash) (*Session, error) {
	if reason, ended := f.recent.Reason(h); ended {
		return nil, EndedError{reason}
	}
	if err := f.needClock(ctx); err != nil {
		return nil, err
	}
	l, err := f.fetch(ctx, o, h)
	if err != nil {
		return nil, store.Unavailable("find", err)
	}
	s, err := f.open(ctx, o, frontend, t, h, l.value)
	if err == nil && o.near > 0 {
		f.near.Put(h, l.epoch, l.asked, s)
	}
	return s, err
}

// touch writes the extension of a session, if it still exists.
func (f *finder) touch(ctx context.Context, o *settings, s *Session) (*Session, error) {
	epoch, asked := f.near.Epoch(s.hash), f.clock.Elapsed()
	tables := o.tables(f.prefix, s.Frontend, s.Subject)
	found, err := f.store.Touch(ctx, f.key(s.hash), store.Touch{Idle: o.idle, Ends: s.latest, Tables: tables, ID: s.ID})
	if err != nil {
		return nil, store.Unavailable("extend", err)
	}
	f.counts.touches.Add(1)
	if found.Seen.IsZero() {
		return nil, f.gone(ctx, s.hash)
	}
	f.clock.Measure(asked, f.clock.Elapsed(), found.Seen)
	if !found.Indexed {
		f.indexAgain(ctx, o, s)
	}
	extended := s.seenAt(found.Seen)
	if o.near > 0 {
		f.near.Put(s.hash, epoch, asked, extended)
	}
	return extended, nil
}

// lives reports whether s is neither idle too long nor at its end.
func (o *settings) lives(s *Session, now time.Time) bool {
	return now.Before(s.Ends) && now.Sub(s.seen) < o.idle
}

// newer returns what the near cache has, if it is newer than s.
func (f *finder) newer(s *Session) *Session {
	o := f.settings.Load()
	if o.near == 0 {
		return nil
	}
	found := f.ownCopy(s.hash, s.Frontend, f.clock.Elapsed()-o.near)
	if found == nil || found.Generation <= s.Generation {
		return nil
	}
	return found
}
