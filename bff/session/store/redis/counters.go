package redis

import (
	"context"
	"time"
)

func (r *Store) Count(ctx context.Context, key, id string, limit int, window time.Duration) (time.Duration, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	ms, err := countScript.Run(ctx, r.conn, []string{key}, id, limit, millis(window)).Int64()
	return time.Duration(ms) * time.Millisecond, r.fault(err)
}

func (r *Store) Uncount(ctx context.Context, key, id string) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return r.fault(r.conn.ZRem(ctx, key, id).Err())
}

func (r *Store) Mark(ctx context.Context, key string, ttl time.Duration) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return r.fault(r.storage.SetWithContext(ctx, key, []byte("1"), ttl))
}

// Marked asks key by key: they lie in different slots.
func (r *Store) Marked(ctx context.Context, keys ...string) (bool, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	for _, key := range keys {
		n, err := r.conn.Exists(ctx, key).Result()
		if err != nil || n > 0 {
			return n > 0, r.fault(err)
		}
	}
	return false, nil
}

func (r *Store) Forget(ctx context.Context, key string) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return r.fault(r.storage.DeleteWithContext(ctx, key))
}
