package session

import (
	"context"
	"time"
)

func (r *redisStore) AddEntry(ctx context.Context, person, id string, entry []byte, ttl time.Duration) (int, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	n, err := addEntryScript.Run(ctx, r.conn, []string{person}, id, entry, millis(ttl)).Int()
	return n, r.fault(err)
}

func (r *redisStore) Entries(ctx context.Context, person string) (map[string][]byte, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	found, err := r.conn.HGetAll(ctx, person).Result()
	if err != nil {
		return nil, r.fault(err)
	}
	entries := make(map[string][]byte, len(found))
	for id, entry := range found {
		entries[id] = []byte(entry)
	}
	return entries, nil
}

func (r *redisStore) DropEntries(ctx context.Context, person string, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	return r.fault(r.conn.HDel(ctx, person, ids...).Err())
}

func (r *redisStore) Count(ctx context.Context, key, id string, limit int, window time.Duration) (time.Duration, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	ms, err := countScript.Run(ctx, r.conn, []string{key}, id, limit, millis(window)).Int64()
	return time.Duration(ms) * time.Millisecond, r.fault(err)
}

func (r *redisStore) Uncount(ctx context.Context, key, id string) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return r.fault(r.conn.ZRem(ctx, key, id).Err())
}

func (r *redisStore) Mark(ctx context.Context, key string, ttl time.Duration) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return r.fault(r.storage.SetWithContext(ctx, key, []byte("1"), ttl))
}

// Marked asks key by key: they lie in different slots.
func (r *redisStore) Marked(ctx context.Context, keys ...string) (bool, error) {
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

func (r *redisStore) Forget(ctx context.Context, key string) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return r.fault(r.storage.DeleteWithContext(ctx, key))
}
