package session

import (
	"context"
	"crypto/rand"
	"time"

	"coatcheck/bff/session/store"
)

// Once reports whether something may be done for s now that the whole fleet must do
// only once in every. A true answer uses it up.
//
// It takes a lease and never gives it back, so that a store at its bound grants it
// too: whoever is in stays in.
func (f *finder) Once(ctx context.Context, s *Session, what string, every time.Duration) (bool, error) {
	held, _, err := f.store.Lease(ctx, f.key(s.hash)+":every:"+what, rand.Text(), every)
	if err != nil {
		return false, store.Unavailable("once", err)
	}
	return held, nil
}

// Brake forbids something for s in the whole fleet, for a time; [Manager.Braked] tells.
// A store at its bound forgets it: then it is done more often than it need be.
func (f *finder) Brake(ctx context.Context, s *Session, what string, life time.Duration) error {
	if err := f.store.Mark(ctx, f.key(s.hash)+":brake:"+what, life); err != nil {
		return store.Unavailable("brake", err)
	}
	return nil
}

// Braked reports whether something is forbidden for s now.
func (f *finder) Braked(ctx context.Context, s *Session, what string) (bool, error) {
	braked, err := f.store.Marked(ctx, f.key(s.hash)+":brake:"+what)
	if err != nil {
		return false, store.Unavailable("brake", err)
	}
	return braked, nil
}
