package session

import (
	"context"
	"crypto/rand"
	"time"
)

// Once reports whether something may be done for s now that must not be done more
// often than every so often, in the whole fleet. Who is told yes has used it up.
func (m *Manager) Once(ctx context.Context, s *Session, what string, every time.Duration) (bool, error) {
	retry, err := m.store.Count(ctx, m.key(s.hash)+":once:"+what, rand.Text(), 1, every)
	if err != nil {
		return false, unavailable("once", err)
	}
	return retry == 0, nil
}
