package redis

import (
	"context"
	"time"

	"coatcheck/bff/session/store"
)

// decided stands before the id of an event that stays counted. Ids do not begin with it.
const decided = "!"

func (r *Store) Count(ctx context.Context, key, id string, limit int, window time.Duration) (retry time.Duration, open bool, err error) {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	said, err := countScript.Run(ctx, r.conn, []string{key}, id, limit, millis(window), millis(store.OpenFor)).Int64Slice()
	if err != nil {
		return 0, false, r.fault(err)
	}
	if len(said) != 2 {
		return 0, false, r.fault(errReply)
	}
	return time.Duration(said[0]) * time.Millisecond, said[1] == 1, nil
}

func (r *Store) Decide(ctx context.Context, key, id string) error {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	return r.fault(decideScript.Run(ctx, r.conn, []string{key}, id).Err())
}

func (r *Store) Uncount(ctx context.Context, key, id string) error {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	return r.fault(r.conn.ZRem(ctx, key, id, decided+id).Err())
}

func (r *Store) Mark(ctx context.Context, key string, ttl time.Duration) error {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	return r.fault(r.storage.SetWithContext(ctx, key, []byte("1"), ttl))
}

// Marked asks key by key: they are in different slots.
func (r *Store) Marked(ctx context.Context, keys ...string) (bool, error) {
	ctx, cancel := r.bounded(ctx)
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
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	return r.fault(r.storage.DeleteWithContext(ctx, key))
}
