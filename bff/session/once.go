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
func (m *Manager) Once(ctx context.Context, s *Session, what string, every time.Duration) (bool, error) {
	held, _, err := m.store.Lease(ctx, m.key(s.hash)+":every:"+what, rand.Text(), every)
	if err != nil {
		return false, store.Unavailable("once", err)
	}
	return held, nil
}
