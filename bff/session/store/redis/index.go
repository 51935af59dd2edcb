package redis

import (
	"context"
	"time"
)

func (r *Store) AddEntry(ctx context.Context, table, id string, entry []byte, ttl time.Duration) (int, error) {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	n, err := addEntryScript.Run(ctx, r.conn, []string{table}, id, entry, millis(ttl)).Int()
	return n, r.fault(err)
}

func (r *Store) Entries(ctx context.Context, table string) (map[string][]byte, error) {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	found, err := r.conn.HGetAll(ctx, table).Result()
	if err != nil {
		return nil, r.fault(err)
	}
	entries := make(map[string][]byte, len(found))
	for id, entry := range found {
		entries[id] = []byte(entry)
	}
	return entries, nil
}

func (r *Store) DropEntries(ctx context.Context, table string, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	return r.fault(r.conn.HDel(ctx, table, ids...).Err())
}
