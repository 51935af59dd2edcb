package session

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// entryScript: KEYS person; ARGV id, entry, ttl ms. The index lives as long as its
// longest entry.
var entryScript = redis.NewScript(`
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return 0`)

// countScript: KEYS window; ARGV id, limit, window ms. It answers 0, or in how many
// milliseconds the oldest attempt leaves the window.
var countScript = redis.NewScript(`
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local window = tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  if not oldest[2] then return window end
  return math.max(1, tonumber(oldest[2]) + window - now)
end
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('PEXPIRE', KEYS[1], window)
return 0`)

func (s *redisStore) AddEntry(ctx context.Context, person, id string, entry []byte, ttl time.Duration) error {
	return entryScript.Run(ctx, s.conn(), []string{person}, id, entry, ttl.Milliseconds()).Err()
}

func (s *redisStore) Entries(ctx context.Context, person string) (map[string][]byte, error) {
	found, err := s.conn().HGetAll(ctx, person).Result()
	if err != nil {
		return nil, err
	}
	entries := make(map[string][]byte, len(found))
	for id, entry := range found {
		entries[id] = []byte(entry)
	}
	return entries, nil
}

func (s *redisStore) DropEntries(ctx context.Context, person string, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	return s.conn().HDel(ctx, person, ids...).Err()
}

func (s *redisStore) Count(ctx context.Context, key, id string, limit int, window time.Duration) (time.Duration, error) {
	ms, err := countScript.Run(ctx, s.conn(), []string{key}, id, limit, window.Milliseconds()).Int64()
	return time.Duration(ms) * time.Millisecond, err
}

func (s *redisStore) Uncount(ctx context.Context, key, id string) error {
	return s.conn().ZRem(ctx, key, id).Err()
}

func (s *redisStore) Mark(ctx context.Context, key string, ttl time.Duration) error {
	return s.conn().Set(ctx, key, "1", ttl).Err()
}

// Marked asks for each key alone: in a Cluster they lie in different slots.
func (s *redisStore) Marked(ctx context.Context, keys ...string) (bool, error) {
	answers := make([]*redis.IntCmd, len(keys))
	_, err := s.conn().Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, key := range keys {
			answers[i] = p.Exists(ctx, key)
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	for _, a := range answers {
		if a.Val() > 0 {
			return true, nil
		}
	}
	return false, nil
}

func (s *redisStore) Forget(ctx context.Context, key string) error {
	return s.conn().Del(ctx, key).Err()
}
