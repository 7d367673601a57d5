import { REPLAY_WINDOW } from '@zeq/crypto';

/**
 * A session is one string, so that its window can neither be evicted nor expire without it:
 *
 *     128  a ring of 1,024 bits: which counters were taken
 *      16  1 + the highest counter taken, in decimal digits
 *       n  the packed session
 */
const BITMAP_BYTES = REPLAY_WINDOW / 8;
const DIGITS = 16;
/** Where the packed session begins. */
export const PACKED_AT = BITMAP_BYTES + DIGITS;

/**
 * KEYS session, unused, used (sorted sets of ids by their end); ARGV packed, id, milliseconds to live, most sessions, prefix of
 * session keys. Answers 1, or 0 when there is no room. When it is full, the oldest session that carried nothing gives way.
 */
export const ADD_SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ttl = tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
if redis.call('ZCARD', KEYS[2]) + redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[4]) then
  local oldest = redis.call('ZPOPMIN', KEYS[2])
  if #oldest == 0 then return 0 end
  redis.call('DEL', ARGV[5] .. oldest[1])
end
redis.call('SET', KEYS[1], string.rep('\\0', ${BITMAP_BYTES}) .. string.rep('0', ${DIGITS}) .. ARGV[1], 'PX', ttl)
redis.call('ZADD', KEYS[2], now + ttl, ARGV[2])
redis.call('PEXPIRE', KEYS[2], ttl)
redis.call('PEXPIRE', KEYS[3], ttl)
return 1
`;

/**
 * KEYS session, unused, used; ARGV counter, id. Answers 1 for a counter that is taken now, 0 for one that was taken before or is
 * behind the window, -1 for a session that is not there. The rule is that of ReplayWindow.
 */
export const TAKE_SCRIPT = `
local digits = redis.call('GETRANGE', KEYS[1], ${BITMAP_BYTES}, ${PACKED_AT - 1})
if digits == '' then return -1 end
local highest = tonumber(digits) - 1
local counter = tonumber(ARGV[1])
if counter <= highest - ${REPLAY_WINDOW} then return 0 end
if counter > highest then
  if counter - highest >= ${REPLAY_WINDOW} then
    redis.call('SETRANGE', KEYS[1], 0, string.rep('\\0', ${BITMAP_BYTES}))
  else
    for c = highest + 1, counter do redis.call('SETBIT', KEYS[1], c % ${REPLAY_WINDOW}, 0) end
  end
  redis.call('SETRANGE', KEYS[1], ${BITMAP_BYTES}, string.format('%0${DIGITS}d', counter + 1))
  if highest < 0 then
    local ends = redis.call('ZSCORE', KEYS[2], ARGV[2])
    redis.call('ZREM', KEYS[2], ARGV[2])
    if ends then redis.call('ZADD', KEYS[3], ends, ARGV[2]) end
    redis.call('PEXPIRE', KEYS[3], redis.call('PTTL', KEYS[1]))
  end
end
return 1 - redis.call('SETBIT', KEYS[1], counter % ${REPLAY_WINDOW}, 1)
`;
