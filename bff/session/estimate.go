package session

import (
	"context"
	"sync"
	"time"

	"coatcheck/bff/session/store"
)

// estimateKept is how long an estimate is used again before the store is asked.
const estimateKept = 10 * time.Second

// estimates keeps the last estimate, so that those who look often ask rarely.
type estimates struct {
	mu    sync.Mutex
	value int
	err   error
	at    time.Duration
	asked bool // there is one

	asking bool // somebody asks for the next
}

// Live is about how many sessions the store holds, all frontends and replicas
// together; the error is [store.ErrUnavailable]. Memory and file stores count; of a
// Redis, keys are drawn at random. An answer may be ten seconds old, or older while
// another caller is asking the store.
func (m *Manager) Live(ctx context.Context) (int, error) {
	e := &m.estimates
	value, err, kept := e.begin(m.clock.Elapsed())
	if kept {
		return value, err
	}
	value, err = m.askLive(ctx)
	e.finish(value, err, m.clock.Elapsed())
	return value, err
}

// begin returns the last estimate; false tells the caller to ask.
func (e *estimates) begin(now time.Duration) (int, error, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.asked && (e.asking || now-e.at < estimateKept) {
		return e.value, e.err, true
	}
	e.asking = true
	return 0, nil, false
}

func (e *estimates) finish(value int, err error, now time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.value, e.err, e.at, e.asked, e.asking = value, err, now, true, false
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
