package redis

import "github.com/redis/go-redis/v9"

// Each script is one atomic step in one slot. Places in a record count from 0 in
// GETRANGE and from 1 in Lua: stamp 0–12, generation 20–27. A script that needs
// the time asks Redis for it, so that no replica's own clock decides.
const luaNow = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
`

var (
	createScript = redis.NewScript(`
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX')
return 0`)

	// ARGV: idle, latest end. Returns the time, or 0 if there is no record.
	touchScript = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end` + luaNow + `
local ttl = math.min(tonumber(ARGV[1]), tonumber(ARGV[2]) - now)
if ttl <= 0 then return 0 end
redis.call('SETRANGE', KEYS[1], 0, string.format('%013.0f', now))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', ttl))
return now`)

	// KEYS: record, lease. ARGV: generation read, sealed, owner, channel, message.
	replaceScript = redis.NewScript(`
local head = redis.call('GETRANGE', KEYS[1], 0, 27)
if head == '' then return 1 end
if string.sub(head, 21, 28) ~= ARGV[1] then return 2 end
redis.call('SET', KEYS[1], string.sub(head, 1, 13) .. ARGV[2], 'KEEPTTL')
if ARGV[3] ~= '' and redis.call('GET', KEYS[2]) == ARGV[3] then redis.call('DEL', KEYS[2]) end
if ARGV[4] ~= '' then redis.call('PUBLISH', ARGV[4], ARGV[5]) end
return 0`)

	// KEYS: record, tombstone. ARGV: generation or '', reason, its time to live,
	// channel, message. Whatever is there is removed, not only a string.
	removeScript = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return {1, ''} end
local value = redis.pcall('GET', KEYS[1])
if type(value) ~= 'string' then value = '' end
if ARGV[1] ~= '' and string.sub(value, 21, 28) ~= ARGV[1] then return {2, ''} end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
if ARGV[4] ~= '' then redis.call('PUBLISH', ARGV[4], ARGV[5]) end
return {0, value}`)

	// KEYS: record, lease. ARGV: owner, time to live.
	leaseScript = redis.NewScript(`
local holder = redis.call('GET', KEYS[2])
local held = 0
if not holder or holder == ARGV[1] then
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
  held = 1
end
return {held, redis.call('GET', KEYS[1])}`)

	// KEYS: lease. ARGV: owner, channel, message.
	unleaseScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
if ARGV[2] ~= '' then redis.call('PUBLISH', ARGV[2], ARGV[3]) end
return 1`)

	// ARGV: id, entry, time to live.
	addEntryScript = redis.NewScript(`
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return redis.call('HLEN', KEYS[1])`)

	// ARGV: id, limit, window, how long an event is open. Returns how long to wait, or 0,
	// and 1 where an event is open. Only the last thousand are looked at.
	countScript = redis.NewScript(luaNow + `
local window = tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
if redis.call('ZSCORE', KEYS[1], ARGV[1]) or redis.call('ZSCORE', KEYS[1], '!' .. ARGV[1]) then return {0, 0} end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  local wait = math.max(oldest[2] + window - now, 1)
  local recent = redis.call('ZRANGE', KEYS[1], -1000, -1, 'WITHSCORES')
  for i = 1, #recent, 2 do
    local decided = string.sub(recent[i], 1, 1) == '!'
    if not decided and tonumber(recent[i + 1]) >= now - tonumber(ARGV[4]) then return {wait, 1} end
  end
  return {wait, 0}
end
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('PEXPIRE', KEYS[1], window)
return {0, 0}`)

	// ARGV: id.
	decideScript = redis.NewScript(`
local at = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not at then return 0 end
redis.call('ZADD', KEYS[1], at, '!' .. ARGV[1])
redis.call('ZREM', KEYS[1], ARGV[1])
return 1`)
)
