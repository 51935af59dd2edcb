package session

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// The scripts. Each is one atomic step over the keys of one session. "now" is the
// server's clock in milliseconds; a stamp is its first 13 digits.

// touchScript: KEYS record; ARGV idle ms, latest end ms.
var touchScript = redis.NewScript(`
local v = redis.call('GET', KEYS[1])
if not v then return 0 end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local left = math.min(tonumber(ARGV[1]), tonumber(ARGV[2]) - now)
if left <= 0 then return 0 end
redis.call('SET', KEYS[1], string.format('%013d', now) .. string.sub(v, 14), 'PX', string.format('%d', left))
return now`)

// replaceScript: KEYS record, lease; ARGV generation, sealed, owner, channel, payload.
var replaceScript = redis.NewScript(`
local v = redis.call('GET', KEYS[1])
if not v then return 1 end
if string.sub(v, ` + luaGeneration + `) ~= ARGV[1] then return 2 end
redis.call('SET', KEYS[1], string.sub(v, 1, 13) .. ARGV[2], 'KEEPTTL')
if ARGV[3] ~= '' and redis.call('GET', KEYS[2]) == ARGV[3] then redis.call('DEL', KEYS[2]) end
if ARGV[4] ~= '' then redis.call('PUBLISH', ARGV[4], ARGV[5]) end
return 0`)

// removeScript: KEYS record, tombstone; ARGV generation or ”, reason, tombstone ms, channel, payload.
var removeScript = redis.NewScript(`
local v = redis.call('GET', KEYS[1])
if not v then return {1} end
if ARGV[1] ~= '' and string.sub(v, ` + luaGeneration + `) ~= ARGV[1] then return {2} end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
if ARGV[4] ~= '' then redis.call('PUBLISH', ARGV[4], ARGV[5]) end
return {0, v}`)

// leaseScript: KEYS record, lease; ARGV owner, ttl ms.
var leaseScript = redis.NewScript(`
local v = redis.call('GET', KEYS[1])
local has = redis.call('GET', KEYS[2])
if has and has ~= ARGV[1] then return {0, v} end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return {1, v}`)

// unleaseScript: KEYS lease; ARGV owner, channel, payload.
var unleaseScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
if ARGV[2] ~= '' then redis.call('PUBLISH', ARGV[2], ARGV[3]) end
return 1`)

// luaGeneration is where a record's generation lies, as Lua counts.
const luaGeneration = "21, 28"

var _ = [1]struct{}{}[generationAt+1-21] // luaGeneration says the same as generationAt

func (s *redisStore) Load(ctx context.Context, key string) ([]byte, error) {
	return s.get(ctx, key)
}

// get returns nil where there is nothing.
func (s *redisStore) get(ctx context.Context, key string) ([]byte, error) {
	value, err := s.conn().Get(ctx, key).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return value, err
}

func (s *redisStore) Tombstone(ctx context.Context, key string) (Reason, error) {
	value, err := s.get(ctx, key+tombstoneSuffix)
	return Reason(value), err
}

func (s *redisStore) Create(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := s.conn().Set(ctx, key, value, ttl).Err(); err != nil {
		return err
	}
	s.acknowledge(ctx, key)
	return nil
}

func (s *redisStore) Touch(ctx context.Context, key string, t Touch) (Touched, error) {
	now, err := touchScript.Run(ctx, s.conn(), []string{key}, t.Idle.Milliseconds(), t.Ends.UnixMilli()).Int64()
	if err != nil || now == 0 {
		return Touched{}, err
	}
	touched := Touched{Seen: time.UnixMilli(now), Indexed: true}
	for i, person := range t.People {
		there, err := s.conn().HExists(ctx, person, t.ID).Result()
		if err != nil {
			return Touched{}, err
		}
		if touched.Indexed = there; there || i == len(t.People)-1 {
			break
		}
	}
	return touched, nil
}

func (s *redisStore) Replace(ctx context.Context, key string, r Swap) (Outcome, error) {
	n, err := replaceScript.Run(ctx, s.conn(), []string{key, key + leaseSuffix},
		generationBytes(r.At), r.Sealed, r.Owner, r.Note.Channel, r.Note.Payload).Int()
	if err != nil {
		return 0, err
	}
	if n == 0 {
		s.acknowledge(ctx, key)
	}
	return outcomeOf(n)
}

func (s *redisStore) Remove(ctx context.Context, key string, r Removal) ([]byte, Outcome, error) {
	at := ""
	if r.At != 0 {
		at = generationBytes(r.At)
	}
	found, err := removeScript.Run(ctx, s.conn(), []string{key, key + tombstoneSuffix},
		at, string(r.Reason), tombstoneTTL.Milliseconds(), r.Note.Channel, r.Note.Payload).Slice()
	if err != nil {
		return nil, 0, err
	}
	n, value, err := pair(found)
	if err != nil {
		return nil, 0, err
	}
	if n == 0 {
		s.acknowledge(ctx, key)
	}
	outcome, err := outcomeOf(int(n))
	return value, outcome, err
}

func (s *redisStore) Lease(ctx context.Context, key, owner string, ttl time.Duration) (bool, []byte, error) {
	found, err := leaseScript.Run(ctx, s.conn(), []string{key, key + leaseSuffix}, owner, ttl.Milliseconds()).Slice()
	if err != nil {
		return false, nil, err
	}
	n, value, err := pair(found)
	return n == 1, value, err
}

func (s *redisStore) Unlease(ctx context.Context, key, owner string, note Note) error {
	return unleaseScript.Run(ctx, s.conn(), []string{key + leaseSuffix}, owner, note.Channel, note.Payload).Err()
}

func (s *redisStore) Seen(ctx context.Context, keys []string) ([]time.Time, error) {
	stamps := make([]*redis.StringCmd, len(keys))
	_, err := s.conn().Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, key := range keys {
			stamps[i] = p.GetRange(ctx, key, 0, stampLen-1)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	seen := make([]time.Time, len(keys))
	for i, stamp := range stamps {
		seen[i], _ = stampOf([]byte(stamp.Val()))
	}
	return seen, nil
}

func generationBytes(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }

// pair reads {number, text or nothing}.
func pair(found []any) (n int64, value []byte, err error) {
	ok := false
	if len(found) > 0 {
		n, ok = found[0].(int64)
	}
	if !ok {
		return 0, nil, errors.New("session: a script answered in an unknown form")
	}
	if len(found) > 1 {
		if text, ok := found[1].(string); ok {
			value = []byte(text)
		}
	}
	return n, value, nil
}

func outcomeOf(n int) (Outcome, error) {
	switch n {
	case 0:
		return Done, nil
	case 1:
		return Gone, nil
	case 2:
		return OtherGeneration, nil
	}
	return 0, fmt.Errorf("session: a script answered %d", n)
}
