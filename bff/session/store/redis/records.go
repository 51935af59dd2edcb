package redis

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"coatcheck/bff/session/store"
)

var errReply = errors.New("redis: unexpected answer")

func (r *Store) Load(ctx context.Context, key string) ([]byte, error) {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	value, err := r.gets.do(ctx, key)
	if wrongType(err) {
		return []byte{}, nil // something else is there: as good as a corrupt record
	}
	return value, r.fault(err)
}

func wrongType(err error) bool {
	return err != nil && strings.HasPrefix(err.Error(), "WRONGTYPE ")
}

func (r *Store) Tombstone(ctx context.Context, key string) (string, error) {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	reason, err := r.storage.GetWithContext(ctx, key+store.TombstoneSuffix)
	return string(reason), r.fault(err)
}

func (r *Store) Create(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	_, err := r.keep(ctx, createScript, []string{key}, value, millis(ttl))
	return err
}

func (r *Store) Touch(ctx context.Context, key string, t store.Touch) (store.Touched, error) {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	now, err := touchScript.Run(ctx, r.conn, []string{key}, millis(t.Idle), t.Ends.UnixMilli()).Int64()
	if err != nil || now == 0 {
		return store.Touched{}, r.fault(err)
	}
	found := store.Touched{Seen: time.UnixMilli(now)}
	for _, table := range t.Tables {
		indexed, err := r.conn.HExists(ctx, table, t.ID).Result()
		// What could not be found out is not put back needlessly.
		found.Indexed = found.Indexed || indexed || err != nil
	}
	return found, nil
}

func (r *Store) Replace(ctx context.Context, key string, s store.Swap) (store.Outcome, error) {
	keys := []string{key, key + store.LeaseSuffix}
	n, err := r.keep(ctx, replaceScript, keys, generationBytes(s.At), s.Sealed, s.Owner, s.Note.Channel, s.Note.Payload)
	if err != nil {
		return store.Done, err
	}
	outcome, ok := n.(int64)
	if !ok {
		return store.Done, errReply
	}
	return store.Outcome(outcome), nil
}

func (r *Store) Remove(ctx context.Context, key string, x store.Removal) ([]byte, store.Outcome, error) {
	at := []byte{}
	if x.At != 0 {
		at = generationBytes(x.At)
	}
	keys := []string{key, key + store.TombstoneSuffix}
	answer, err := r.keep(ctx, removeScript, keys, at, x.Reason, millis(store.TombstoneTTL), x.Note.Channel, x.Note.Payload)
	if err != nil {
		return nil, store.Done, err
	}
	outcome, value, err := pair(answer)
	return []byte(value), store.Outcome(outcome), err
}

func (r *Store) Lease(ctx context.Context, key, owner string, ttl time.Duration) (bool, []byte, error) {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	answer, err := leaseScript.Run(ctx, r.conn, []string{key, key + store.LeaseSuffix}, owner, millis(ttl)).Result()
	if err != nil {
		return false, nil, r.fault(err)
	}
	held, value, err := pair(answer)
	if value == "" {
		return held == 1, nil, err
	}
	return held == 1, []byte(value), err
}

func (r *Store) Unlease(ctx context.Context, key, owner string, note store.Note) error {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	return r.fault(unleaseScript.Run(ctx, r.conn, []string{key + store.LeaseSuffix}, owner, note.Channel, note.Payload).Err())
}

func (r *Store) Seen(ctx context.Context, keys []string) ([]time.Time, error) {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	stamps := make([]*redis.StringCmd, len(keys))
	_, err := r.conn.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, key := range keys {
			stamps[i] = p.GetRange(ctx, key, 0, store.StampLen-1)
		}
		return nil
	})
	if err != nil {
		return nil, r.fault(err)
	}
	seen := make([]time.Time, len(keys))
	for i, stamp := range stamps {
		seen[i], _ = store.StampOf([]byte(stamp.Val()))
	}
	return seen, nil
}

// pair reads an answer of a number and a string, which may be missing.
func pair(answer any) (int64, string, error) {
	list, ok := answer.([]any)
	if !ok || len(list) == 0 {
		return 0, "", errReply
	}
	n, ok := list[0].(int64)
	if !ok || len(list) == 1 {
		return n, "", nil
	}
	value, _ := list[1].(string)
	return n, value, nil
}

func generationBytes(generation uint64) []byte {
	return binary.BigEndian.AppendUint64(nil, generation)
}

// millis rounds up, so that nothing is stored for no time at all.
func millis(d time.Duration) int64 { return int64((d + time.Millisecond - 1) / time.Millisecond) }
