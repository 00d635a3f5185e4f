import { RedisScript } from '../connection/redis-commands';

/*
 * A channel's history is two keys in one slot. The position, a hash that outlives the publications: e epoch, o offset,
 * t tag of the newest publication, l the cursor that the channel stood at when it was cleared, until the next publication.
 * The publications, a stream with the offset as the id: a time of appending in ms, b tag of the publication before, t tag,
 * p payload, x excluded connections.
 */

/**
 * Has a replica refuse the script at once, by a write that changes nothing and is passed on to nobody. A master that was
 * demoted keeps its connections: what it holds may be behind, or a tail that is no part of the history any more, and without
 * this it would answer from it for as long as the script has nothing to write.
 */
const AT_MASTER = `
local refusal = redis.pcall('HDEL', KEYS[1], '')
if type(refusal) == 'table' and refusal.err and string.find(refusal.err, 'READONLY', 1, true) then
  return redis.error_reply('READONLY the history is read and written at the master')
end
`;

/**
 * Appends publications and publishes each with its position, in one step: nobody can see one without the other.
 *
 * KEYS: position and stream of each, then the idempotency keys of those that have one. ARGV: 1 publishing command, 2 envelope
 * up to the source's id, 3 epoch for channels without one, 4 start of the tags, 5 ttl of positions, 6 how many; then for each:
 * channel, payload, exclude, size, ttl, ttl of its idempotency key or nothing.
 * Returns the cursor of each, or `=` and the cursor of the first under the same idempotency key, or `!` and an error.
 */
export const APPEND = new RedisScript(`${AT_MASTER}
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local results = {}
local count = tonumber(ARGV[6])
local keysUsed = 2 * count

local function append(i)
  local position, stream = KEYS[2 * i - 1], KEYS[2 * i]
  local a = 6 * i
  local channel, payload, exclude, size, ttl = ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4], ARGV[a + 5]
  local onceTtl, once = ARGV[a + 6], nil
  if onceTtl ~= '' then
    keysUsed = keysUsed + 1
    once = KEYS[keysUsed]
    local first = redis.call('GET', once)
    if first then return nil, '=' .. first end
  end
  local held = redis.call('HMGET', position, 'e', 'o', 't', 'l')
  local epoch, offset, previous, link = held[1], held[2], held[3], held[4]
  if not epoch then
    epoch, offset, previous = ARGV[3], '0', ''
    redis.call('DEL', stream)
  end
  offset = string.format('%.0f', tonumber(offset) + 1)
  local tag = ARGV[4] .. i

  local entry = {'XADD', stream, 'MAXLEN', size, offset .. '-0', 'a', now, 'b', previous, 't', tag, 'p', payload}
  if exclude ~= '' then
    entry[#entry + 1] = 'x'
    entry[#entry + 1] = exclude
  end
  local added = redis.pcall(unpack(entry))
  if type(added) == 'table' and added.err and string.find(added.err, 'equal or smaller', 1, true) then
    -- Somebody else wrote ahead of us: no publication would find a place for as long as the stream lives.
    redis.call('DEL', stream)
    added = redis.pcall(unpack(entry))
  end
  if type(added) == 'table' and added.err then return added.err end
  redis.call('PEXPIRE', stream, ttl)
  redis.call('HSET', position, 'e', epoch, 'o', offset, 't', tag)
  if link then redis.call('HDEL', position, 'l') end
  redis.call('PEXPIRE', position, math.max(tonumber(ARGV[5]), tonumber(ttl)))

  local cursor = epoch .. '-' .. offset .. '-' .. tag
  if once then redis.call('SET', once, cursor, 'PX', onceTtl) end
  local message = ARGV[2] .. '","length":' .. #payload .. ',"position":"' .. cursor .. '","previous":"' .. previous .. '"'
  if link then message = message .. ',"link":"' .. link .. '"' end
  if exclude ~= '' then message = message .. ',"exclude":' .. exclude end
  redis.call(ARGV[1], channel, message .. ',"message":' .. payload .. '}')
  return nil, cursor
end

for i = 1, count do
  local err, cursor = append(i)
  if err then
    results[i] = '!' .. err
  else
    results[i] = cursor
  end
end
return results
`);

/**
 * Reads where a channel stands and a range of its publications, in one view. A channel that has no epoch gets one here, so
 * that a cursor exists before the first publication.
 *
 * KEYS: position, stream. ARGV: 1 epoch for a channel without one, 2 ttl of the position, 3 what: `none`, `after` an offset
 * (nothing, unless what follows it is held), `up` or `down` from an id, 4 offset or id, 5 count, or for `after` the epoch,
 * 6 greatest age in ms, or 0: publications that are older are dropped, 7 and 8 how many and how many bytes at most, if there
 * are bounds: `after` gives nothing then when there is more, `up` and `down` what fits.
 * Returns epoch, offset, tag, link, id of the oldest held (`down` only), entries.
 */
export const READ = new RedisScript(`${AT_MASTER}
local held = redis.call('HMGET', KEYS[1], 'e', 'o', 't', 'l')
local epoch, offset, tag, link = held[1], held[2], held[3], held[4]
if not epoch then
  epoch, offset, tag = ARGV[1], '0', ''
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'e', epoch, 'o', offset, 't', tag)
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) / 2 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end

if ARGV[6] ~= '0' then
  local time = redis.call('TIME')
  local bornAfter = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[6]
  local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)
  while first[1] and tonumber(first[1][2][2]) <= bornAfter do
    redis.call('XDEL', KEYS[2], first[1][1])
    first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)
  end
end

-- In parts, so that what does not fit is not read either.
local function range(command, from, to, most)
  local found, bytes = {}, 0
  while #found < most do
    local count = math.min(100, most - #found)
    local part = redis.call(command, KEYS[2], from, to, 'COUNT', count)
    for _, entry in ipairs(part) do
      bytes = bytes + #(entry[2][8] or '')
      if ARGV[8] and bytes > tonumber(ARGV[8]) then return found, false end
      found[#found + 1] = entry
    end
    if #part < count then break end
    from = '(' .. part[#part][1]
  end
  return found, true
end

local what, entries, oldest = ARGV[3], {}, ''
local missed = tonumber(offset) - (tonumber(ARGV[4]) or 0)
if what == 'after' and ARGV[5] == epoch and missed > 0 and missed <= (tonumber(ARGV[7]) or missed) then
  local from = string.format('%.0f-0', tonumber(ARGV[4]) + 1)
  local first = redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', 1)
  if first[1] and first[1][1] == from then
    local found, fits = range('XRANGE', from, '+', missed)
    if fits then entries = found end
  end
elseif what == 'up' then
  entries = range('XRANGE', ARGV[4], '+', tonumber(ARGV[5]))
elseif what == 'down' then
  entries = range('XREVRANGE', ARGV[4], '-', tonumber(ARGV[5]))
  local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)
  if first[1] then oldest = first[1][1] end
end
return {epoch, offset, tag, link or '', oldest, entries}
`, true);

/**
 * Forgets the publications and starts another epoch. Where the channel stood is kept until the next publication, which then
 * says so: whoever stood there too has missed nothing.
 *
 * KEYS: position, stream. ARGV: 1 the new epoch, 2 ttl of the position.
 */
export const CLEAR = new RedisScript(`
local held = redis.call('HMGET', KEYS[1], 'e', 'o', 't', 'l')
redis.call('DEL', KEYS[2])
if not held[1] then return 0 end
local link = held[4]
if held[2] ~= '0' or not link then link = held[1] .. '-' .. held[2] .. '-' .. held[3] end
redis.call('HSET', KEYS[1], 'e', ARGV[1], 'o', '0', 't', '', 'l', link)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`);
