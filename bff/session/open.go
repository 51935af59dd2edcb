package session

import (
	"context"

	"coatcheck/bff/session/record"
)

// open makes a session of what is in the store under t's key, for frontend, if it
// still lives.
func (k *knowledge) open(ctx context.Context, o *settings, frontend string, t Ticket, h hash, value []byte) (*Session, error) {
	s, err := k.read(ctx, o, frontend, t, h, value)
	if err != nil {
		return nil, err
	}
	if !o.lives(s, k.now()) {
		k.over(h, Expired)
		return nil, EndedError{Expired}
	}
	if reason, ended := k.recent.Reason(h); ended {
		_ = k.endAgain(ctx, h, reason) // a failure is mended by the next look
		return nil, EndedError{reason}
	}
	return s, nil
}

// read is open without a look at the time: what is there, for frontend.
func (k *knowledge) read(ctx context.Context, o *settings, frontend string, t Ticket, h hash, value []byte) (*Session, error) {
	if value == nil {
		return nil, k.gone(ctx, h)
	}
	found, err := record.Open(o.ring, t.RevealBytes(), k.key(h), value)
	if err != nil {
		return nil, k.unreadable(ctx, frontend, h, err)
	}
	s := sessionOf(h, found)
	if s.Frontend != frontend {
		k.securityEvent("ticket_of_another_frontend", "frontend", frontend, "session", s.LogID)
		return nil, EndedError{Expired}
	}
	return s, nil
}

// gone says why there is no record any more, and tells whoever waits for it.
func (k *knowledge) gone(ctx context.Context, h hash) error {
	if reason, ended := k.recent.Reason(h); ended {
		return EndedError{reason}
	}
	reason, err := k.store.Tombstone(ctx, k.key(h))
	if err != nil || reason == "" {
		k.over(h, Expired)
		return EndedError{Expired}
	}
	if next, ok := successor(reason); ok {
		k.moved(h, next)
		return EndedError{Expired}
	}
	k.ended(h, reasonOf(reason))
	return EndedError{reasonOf(reason)}
}

// unreadable judges the record of a session that does not open.
func (k *knowledge) unreadable(ctx context.Context, frontend string, h hash, why error) error {
	return k.judge(frontend, why, func() error {
		_, _, err := k.remove(ctx, h, 0, Expired)
		return err
	})
}
