package session

import (
	"context"

	"coatcheck/bff/session/store"
)

// Live is about how many sessions the store holds, all frontends and replicas
// together; the error is [store.ErrUnavailable]. Memory and file stores count; of a
// Redis, keys are drawn at random. An answer may be ten seconds old, or older while
// another caller is asking the store.
func (m *Manager) Live(ctx context.Context) (int, error) {
	e := &m.estimates
	value, err, kept := e.Begin(m.clock.Elapsed())
	if kept {
		return value, err
	}
	value, err = m.askLive(ctx)
	e.Finish(value, err, m.clock.Elapsed(), ctx.Err() == nil)
	return value, err
}

// askLive asks the store; no lock is held meanwhile.
func (c *core) askLive(ctx context.Context) (int, error) {
	prefix := c.prefix + ":s:{"
	n, err := c.store.Estimate(ctx, func(key string) bool {
		return len(key) > len(prefix) && key[:len(prefix)] == prefix && key[len(key)-1] == '}'
	})
	if err != nil {
		return 0, store.Unavailable("estimate", err)
	}
	return n, nil
}
