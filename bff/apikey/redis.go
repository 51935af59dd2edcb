package apikey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Scripts runs a Lua script in a Redis, by EVALSHA and, where it is not known there,
// by EVAL. A script that returns nothing is no error. The room that owns the
// connection implements it.
type Scripts interface {
	// Run returns what the script does; arguments are strings and whole numbers. An error is
	// that the Redis is away, or the script's own.
	Run(ctx context.Context, script string, keys []string, args ...any) (any, error)
}

// Redis is a [Store] in a Redis: a hash of records, one of last uses, and the version,
// in one slot. They have no time to live: a key lives until it is revoked, or until it
// has been over for a while. A record holds the hash of a key and no secret.
type Redis struct {
	scripts Scripts
	keys    []string // records, uses, version
}

// NewRedis returns a store whose keys begin with prefix.
func NewRedis(scripts Scripts, prefix string) *Redis {
	return &Redis{scripts, []string{prefix + ":{keys}:r", prefix + ":{keys}:u", prefix + ":{keys}:v"}}
}

const (
	versionScript = `return redis.call('GET', KEYS[3]) or '0'`

	allScript = `return {redis.call('GET', KEYS[3]) or '0', redis.call('HVALS', KEYS[1]), redis.call('HGETALL', KEYS[2])}`

	// ARGV: id, record, most. Returns 1, or 0 where it is full.
	addScript = `
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('INCR', KEYS[3])
return 1`

	getScript = `return redis.call('HGET', KEYS[1], ARGV[1]) or ''`

	// ARGV: id, record read, record to be, successor's id, successor, most. Returns 1, 0
	// where it is full, 2 where the record is another by now.
	rotateScript = `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 2 end
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[6]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3], ARGV[4], ARGV[5])
redis.call('INCR', KEYS[3])
return 1`

	// ARGV: ids. Returns how many there were.
	removeScript = `
local n = 0
for _, id in ipairs(ARGV) do
  n = n + redis.call('HDEL', KEYS[1], id)
  redis.call('HDEL', KEYS[2], id)
end
if n > 0 then redis.call('INCR', KEYS[3]) end
return n`

	// ARGV: milliseconds that an ended record is kept, id, end, id, end, … Returns how many
	// records are forgotten.
	pruneScript = `
local clock = redis.call('TIME')
local before = clock[1] * 1000 + math.floor(clock[2] / 1000) - ARGV[1]
local n = 0
for i = 2, #ARGV, 2 do
  if tonumber(ARGV[i + 1]) < before then
    n = n + redis.call('HDEL', KEYS[1], ARGV[i])
    redis.call('HDEL', KEYS[2], ARGV[i])
  end
end
if n > 0 then redis.call('INCR', KEYS[3]) end
return n`

	// ARGV: id, time, id, time, …
	useScript = `
for i = 1, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
end
return 1`
)

func (s *Redis) run(ctx context.Context, script string, args ...any) (any, error) {
	got, err := s.scripts.Run(ctx, script, s.keys, args...)
	if err != nil {
		return nil, fmt.Errorf("apikey: %w", err)
	}
	return got, nil
}

func (s *Redis) number(ctx context.Context, script string, args ...any) (uint64, error) {
	got, err := s.run(ctx, script, args...)
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(fmt.Sprint(got), 10, 64)
}

// Version implements [Store].
func (s *Redis) Version(ctx context.Context) (uint64, error) { return s.number(ctx, versionScript) }

// All implements [Store]. A record that cannot be read is an error: a table that
// lacks some would refuse keys that live.
func (s *Redis) All(ctx context.Context) (uint64, []Record, error) {
	got, err := s.run(ctx, allScript)
	if err != nil {
		return 0, nil, err
	}
	parts, _ := got.([]any)
	if len(parts) != 3 {
		return 0, nil, errors.New("apikey: the store answered something else")
	}
	version, err := strconv.ParseUint(fmt.Sprint(parts[0]), 10, 64)
	if err != nil {
		return 0, nil, fmt.Errorf("apikey: version: %w", err)
	}
	uses := map[string]time.Time{}
	list, _ := parts[2].([]any)
	for i := 0; i+1 < len(list); i += 2 {
		ms, _ := strconv.ParseInt(fmt.Sprint(list[i+1]), 10, 64)
		uses[fmt.Sprint(list[i])] = time.UnixMilli(ms).UTC()
	}
	values, _ := parts[1].([]any)
	records := make([]Record, len(values))
	for i, value := range values {
		if err := json.Unmarshal([]byte(fmt.Sprint(value)), &records[i]); err != nil {
			return 0, nil, fmt.Errorf("apikey: record: %w", err)
		}
		records[i].LastUsed = uses[records[i].ID]
	}
	return version, records, nil
}

// Add implements [Store].
func (s *Redis) Add(ctx context.Context, r Record, most int) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	n, err := s.number(ctx, addScript, r.ID, string(text), most)
	if err == nil && n == 0 {
		return ErrFull
	}
	return err
}

// Rotate implements [Store]. Where the record was changed meanwhile, it is read again.
func (s *Redis) Rotate(ctx context.Context, id string, end time.Time, successor Record, most int) error {
	for range 5 {
		got, err := s.run(ctx, getScript, id)
		if err != nil {
			return err
		}
		read := fmt.Sprint(got)
		if read == "" {
			return ErrUnknown
		}
		n, err := s.replace(ctx, id, read, end, successor, most)
		switch {
		case err != nil:
			return err
		case n == 0:
			return ErrFull
		case n == 1:
			return nil
		}
	}
	return errors.New("apikey: the record is changed all the time")
}

func (s *Redis) replace(ctx context.Context, id, read string, end time.Time, successor Record, most int) (uint64, error) {
	var old Record
	if err := json.Unmarshal([]byte(read), &old); err != nil {
		return 0, fmt.Errorf("apikey: record: %w", err)
	}
	old = old.rotated(end, successor.ID)
	before, err := json.Marshal(old)
	if err != nil {
		return 0, err
	}
	after, err := json.Marshal(successor)
	if err != nil {
		return 0, err
	}
	return s.number(ctx, rotateScript, id, read, string(before), successor.ID, string(after), most)
}

// Remove implements [Store].
func (s *Redis) Remove(ctx context.Context, ids ...string) (int, error) {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	n, err := s.number(ctx, removeScript, args...)
	return int(n), err
}

// Prune implements [Store].
func (s *Redis) Prune(ctx context.Context, ends map[string]time.Time, kept time.Duration) (int, error) {
	args := []any{kept.Milliseconds()}
	for id, end := range ends {
		args = append(args, id, end.UnixMilli())
	}
	n, err := s.number(ctx, pruneScript, args...)
	return int(n), err
}

// Use implements [Store].
func (s *Redis) Use(ctx context.Context, at map[string]time.Time) error {
	var args []any
	for id, used := range at {
		args = append(args, id, used.UnixMilli())
	}
	_, err := s.run(ctx, useScript, args...)
	return err
}
