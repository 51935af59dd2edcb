package session

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// estimateSample is how many keys of a Redis are drawn to tell how many of them
// are sessions: with a share of a third the estimate is mostly within 6 %.
const estimateSample = 512

// estimator is a store that can tell about how many records it holds.
type estimator interface {
	// estimate is about how many records have keys that isRecord knows.
	estimate(ctx context.Context, isRecord func(key string) bool) (int, error)
}

var errNoEstimate = errors.New("session: the store cannot estimate")

// estimateKept is how long an estimate is told again before the store is asked.
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
// together; the error is [ErrUnavailable]. Memory and file stores count; of a
// Redis, keys are drawn at random. An answer may be ten seconds old, or older while
// another caller is asking the store.
func (m *Manager) Live(ctx context.Context) (int, error) {
	e := &m.estimates
	value, err, kept := e.begin(m.clock.elapsed())
	if kept {
		return value, err
	}
	value, err = m.askLive(ctx)
	e.finish(value, err, m.clock.elapsed())
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
func (m *Manager) askLive(ctx context.Context) (int, error) {
	store := m.store
	if o, ok := store.(observed); ok {
		store = o.Store
	}
	counts, ok := store.(estimator)
	if !ok {
		return 0, unavailable("estimate", errNoEstimate)
	}
	prefix := m.prefix + ":s:{"
	n, err := counts.estimate(ctx, func(key string) bool {
		return len(key) > len(prefix) && key[:len(prefix)] == prefix && key[len(key)-1] == '}'
	})
	if err != nil {
		return 0, unavailable("estimate", err)
	}
	return n, nil
}

func (m *memory) estimate(_ context.Context, isRecord func(string) bool) (n int, err error) {
	now := m.clock.wall().UnixMilli()
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		for key, it := range s.items {
			if it.ends > now && isRecord(key) {
				n++
			}
		}
		s.mu.Unlock()
	}
	return n, nil
}

// estimate multiplies the number of keys by the share of records among some drawn
// at random; of a cluster, each master is asked.
func (r *redisStore) estimate(ctx context.Context, isRecord func(string) bool) (int, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	cluster, ok := r.conn.(*redis.ClusterClient)
	if !ok {
		n, err := drawn(ctx, r.conn, isRecord)
		return n, r.fault(err)
	}
	var mu sync.Mutex
	whole := 0
	err := cluster.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error {
		n, err := drawn(ctx, c, isRecord)
		mu.Lock()
		defer mu.Unlock()
		whole += n
		return err
	})
	return whole, r.fault(err)
}

func drawn(ctx context.Context, c redis.Cmdable, isRecord func(string) bool) (int, error) {
	all, err := c.DBSize(ctx).Result()
	if err != nil || all == 0 {
		return 0, err
	}
	draws := make([]*redis.StringCmd, estimateSample)
	if _, err = c.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range draws {
			draws[i] = p.RandomKey(ctx)
		}
		return nil
	}); err != nil {
		return 0, err
	}
	hits := int64(0)
	for _, d := range draws {
		if isRecord(d.Val()) {
			hits++
		}
	}
	return int((all*hits + estimateSample/2) / estimateSample), nil
}
