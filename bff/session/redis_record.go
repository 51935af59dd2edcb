package session

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

var errReply = errors.New("redis: unexpected answer")

func (r *redisStore) Load(ctx context.Context, key string) ([]byte, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	value, err := r.gets.do(ctx, key)
	if wrongType(err) {
		return []byte{}, nil // something else lies there: as good as a corrupt record
	}
	return value, r.fault(err)
}

func wrongType(err error) bool {
	return err != nil && strings.HasPrefix(err.Error(), "WRONGTYPE ")
}

func (r *redisStore) Tombstone(ctx context.Context, key string) (Reason, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	reason, err := r.storage.GetWithContext(ctx, key+tombstoneSuffix)
	return Reason(reason), r.fault(err)
}

func (r *redisStore) Create(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	_, err := r.keep(ctx, createScript, []string{key}, value, millis(ttl))
	return err
}

func (r *redisStore) Touch(ctx context.Context, key string, t Touch) (Touched, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	now, err := touchScript.Run(ctx, r.conn, []string{key}, millis(t.Idle), t.Ends.UnixMilli()).Int64()
	if err != nil || now == 0 {
		return Touched{}, r.fault(err)
	}
	found := Touched{Seen: time.UnixMilli(now)}
	for _, person := range t.People {
		indexed, err := r.conn.HExists(ctx, person, t.ID).Result()
		// What could not be found out is not put back needlessly.
		found.Indexed = found.Indexed || indexed || err != nil
	}
	return found, nil
}

func (r *redisStore) Replace(ctx context.Context, key string, s Swap) (Outcome, error) {
	keys := []string{key, key + leaseSuffix}
	n, err := r.keep(ctx, replaceScript, keys, generationBytes(s.At), s.Sealed, s.Owner, s.Note.Channel, s.Note.Payload)
	if err != nil {
		return Done, err
	}
	outcome, ok := n.(int64)
	if !ok {
		return Done, errReply
	}
	return Outcome(outcome), nil
}

func (r *redisStore) Remove(ctx context.Context, key string, x Removal) ([]byte, Outcome, error) {
	at := []byte{}
	if x.At != 0 {
		at = generationBytes(x.At)
	}
	keys := []string{key, key + tombstoneSuffix}
	answer, err := r.keep(ctx, removeScript, keys, at, string(x.Reason), millis(tombstoneTTL), x.Note.Channel, x.Note.Payload)
	if err != nil {
		return nil, Done, err
	}
	outcome, value, err := pair(answer)
	return []byte(value), Outcome(outcome), err
}

func (r *redisStore) Lease(ctx context.Context, key, owner string, ttl time.Duration) (bool, []byte, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	answer, err := leaseScript.Run(ctx, r.conn, []string{key, key + leaseSuffix}, owner, millis(ttl)).Result()
	if err != nil {
		return false, nil, r.fault(err)
	}
	held, value, err := pair(answer)
	if value == "" {
		return held == 1, nil, err
	}
	return held == 1, []byte(value), err
}

func (r *redisStore) Unlease(ctx context.Context, key, owner string, note Note) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	return r.fault(unleaseScript.Run(ctx, r.conn, []string{key + leaseSuffix}, owner, note.Channel, note.Payload).Err())
}

func (r *redisStore) Seen(ctx context.Context, keys []string) ([]time.Time, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	stamps := make([]*redis.StringCmd, len(keys))
	_, err := r.conn.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, key := range keys {
			stamps[i] = p.GetRange(ctx, key, 0, stampLen-1)
		}
		return nil
	})
	if err != nil {
		return nil, r.fault(err)
	}
	seen := make([]time.Time, len(keys))
	for i, stamp := range stamps {
		seen[i], _ = stampOf([]byte(stamp.Val()))
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
