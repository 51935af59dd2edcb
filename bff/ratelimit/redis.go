package ratelimit

import (
	"context"
	"fmt"
	"time"
)

// Scripts runs a Lua script in a Redis, by EVALSHA and, where it is not known there,
// by EVAL. The room that owns the connection implements it.
type Scripts interface {
	// Run returns what the script does; arguments are strings and whole numbers. An error is
	// that the Redis is away, or the script's own.
	Run(ctx context.Context, script string, keys []string, args ...any) (any, error)
}

// Redis is a [Store] in a Redis: one hash for each caller, with TAT and the ledger,
// which goes when all of it is past. Each Borrow is one script that touches one key.
type Redis struct {
	scripts Scripts
	prefix  string
}

// NewRedis returns a store whose keys begin with prefix.
func NewRedis(scripts Scripts, prefix string) *Redis { return &Redis{scripts, prefix} }

// borrowScript: see [Store]. Times are microseconds of the Redis's own clock.
const borrowScript = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local own, interval, burst = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local want, patience, lease = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local all = redis.call('HGETALL', KEYS[1])
local tat, lent, mine, last = 0, 0, 0, now
for i = 1, #all, 2 do
  if all[i] == 'tat' then
    tat = tonumber(all[i + 1])
  else
    local n, stop = string.match(all[i + 1], '^(%d+) (%d+)$')
    n, stop = tonumber(n), tonumber(stop)
    if stop <= now then
      redis.call('HDEL', KEYS[1], all[i])
    else
      lent = lent + n
      if all[i] == own then mine = n else last = math.max(last, stop) end
    end
  end
end
tat = math.max(tat, now + lent * interval)
redis.call('HDEL', KEYS[1], own)
local n = math.min(want, math.max(1, math.floor((burst - lent + mine) / 2)))
local wait = tat - now - (burst - 1) * interval
if wait > patience then
  n = 0
else
  tat = tat + n * interval
  if lease > 0 then
    local stop = now + math.max(wait, 0) + n * interval + lease
    last = math.max(last, stop)
    redis.call('HSET', KEYS[1], own, string.format('%d %.0f', n, stop))
  end
end
last = math.max(last, tat)
redis.call('HSET', KEYS[1], 'tat', string.format('%.0f', tat))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.ceil((last - now) / 1000) + 1000))
return {n, string.format('%.0f', wait), math.max(math.floor((burst * interval - tat + now) / interval), 0)}`

// Borrow implements [Store].
func (s *Redis) Borrow(ctx context.Context, r Request) (Grant, error) {
	got, err := s.scripts.Run(ctx, borrowScript, []string{s.prefix + ":l:{" + r.Key + "}"}, "r:"+r.Replica,
		r.Interval.Microseconds(), r.Burst, r.Want, r.Patience.Microseconds(), r.Lease.Microseconds())
	if err != nil {
		return Grant{}, fmt.Errorf("ratelimit: %w", err)
	}
	list, _ := got.([]any)
	var n, wait, left int64
	if len(list) != 3 {
		return Grant{}, fmt.Errorf("ratelimit: the store answered %T", got)
	}
	for i, into := range []*int64{&n, &wait, &left} {
		if _, err := fmt.Sscan(fmt.Sprint(list[i]), into); err != nil {
			return Grant{}, fmt.Errorf("ratelimit: the store answered no number: %w", err)
		}
	}
	return Grant{N: int(n), Wait: time.Duration(wait) * time.Microsecond, Left: int(left)}, nil
}
