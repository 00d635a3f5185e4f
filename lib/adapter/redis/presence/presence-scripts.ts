import { RedisScript } from '../connection/redis-commands';

/*
 * A channel's presence is a hash from connection ids to `owner|member as JSON`, in the slot of the channel. An owner is one
 * life of an instance in the register: sorted sets of owners by time in ms - alive (last heartbeat), burying (until when
 * somebody is at it), buried (since when).
 */

/**
 * Adds or updates a member. KEYS: presence. ARGV: connection id, owner, member. Returns 1 when the member is new.
 */
export const ADD_MEMBER = new RedisScript(`
return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. '|' .. ARGV[3])
`);

/**
 * Removes the members of a dead owner. Whoever gets a member from here, and nobody else, tells of its leaving.
 * KEYS: presence. ARGV: owner. Returns the members.
 */
export const BURY_MEMBERS = new RedisScript(`
local members, start = {}, ARGV[1] .. '|'
local held = redis.call('HGETALL', KEYS[1])
for i = 1, #held, 2 do
  if string.sub(held[i + 1], 1, #start) == start then
    redis.call('HDEL', KEYS[1], held[i])
    members[#members + 1] = string.sub(held[i + 1], #start + 1)
  end
end
return members
`);

/**
 * Says that an owner is alive, and gives it those to bury that are not: those silent for too long, and those whose
 * undertaker was. Only somebody who was heard all the time may call others silent: after an outage of Redis everybody was.
 *
 * KEYS: alive, info, burying, buried. ARGV: 1 owner, 2 ms of silence that mean death, 3 info as JSON, 4 whether this
 * instance was heard for at least as long, 5 ms to bury in, 6 ms that the buried are remembered.
 * Returns `ok`, `new` or `buried`, and the owners to bury.
 */
export const HEARTBEAT = new RedisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function ms(value) return string.format('%.0f', value) end
local owner, deadAfter = ARGV[1], tonumber(ARGV[2])

local last = redis.call('ZSCORE', KEYS[1], owner)
local status = 'ok'
if not last then
  status = 'new'
  if redis.call('ZSCORE', KEYS[3], owner) or redis.call('ZSCORE', KEYS[4], owner) then return {'buried', {}} end
end
redis.call('ZADD', KEYS[1], ms(now), owner)
redis.call('HSET', KEYS[2], owner, ARGV[3])
if ARGV[4] ~= '1' or not last or now - last >= deadAfter then return {status, {}} end

for _, dead in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ms(now - deadAfter))) do
  redis.call('ZREM', KEYS[1], dead)
  redis.call('HDEL', KEYS[2], dead)
  redis.call('ZADD', KEYS[3], '0', dead)
end
local mine = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', ms(now), 'LIMIT', 0, 16)
for _, dead in ipairs(mine) do redis.call('ZADD', KEYS[3], ms(now + ARGV[5]), dead) end
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', ms(now - ARGV[6]))
return {status, mine}
`);

/** Everything of an owner is gone. KEYS: burying, buried. ARGV: owner. */
export const BURIED = new RedisScript(`
local time = redis.call('TIME')
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[2], string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)), ARGV[1])
return 1
`);

/** Who is alive. KEYS: alive, info. ARGV: ms of silence that mean death. Returns owner and info of each. */
export const INSTANCES = new RedisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = {}
for _, owner in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], string.format('(%.0f', now - ARGV[1]), '+inf')) do
  found[#found + 1] = owner
  found[#found + 1] = redis.call('HGET', KEYS[2], owner) or ''
end
return found
`, true);
