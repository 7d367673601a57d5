import type { RedisLink } from './redis.ts';

/** One window that a call is counted in. */
export interface WindowAsk {
  id: string;
  /** Calls in any 60 s. */
  limit: number;
}

export interface WindowVerdict {
  /** Index of the window that has no room, or -1 when the call was counted in all of them. */
  refusedBy: number;
  /** How long until the refusing window has room (ms). */
  waitMs: number;
  /** Calls in the first window now, this one included. */
  used: number;
}

/**
 * Windows of 60 s that slide by 100 ms, kept in Redis and so shared by every replica: no stretch of 60 s ever holds more calls
 * than the limit, however many processes count. One script decides and counts, by the clock of Redis, so nothing can come
 * between the two.
 *
 * A window is a list of `slot:count` in order of time, and its total: admitting costs a constant number of commands. Its keys end
 * 61 s after the last admitted call.
 */
export class SharedWindows {
  readonly #link: RedisLink;
  readonly #prefix: string;

  /** @param prefix Keeps the windows of one kind apart from others, `zeq:api:`. */
  constructor(link: RedisLink, prefix: string) {
    this.#link = link;
    this.#prefix = prefix;
    link.client.defineCommand('zeqTakeWindows', { lua: SCRIPT });
  }

  /**
   * Counts one call in every window, or in none.
   *
   * @throws Error of ioredis when Redis is away or slow; then nothing is known.
   */
  async take(asks: readonly WindowAsk[]): Promise<WindowVerdict> {
    const keys = asks.flatMap(({ id }) => [`${this.#prefix}{${id}}`, `${this.#prefix}{${id}}:n`]);
    const limits = asks.map(({ limit }) => limit);
    const client = this.#link.client as unknown as {
      zeqTakeWindows(count: number, ...rest: (string | number)[]): Promise<[number, number, number]>;
    };
    const [refusedBy, waitMs, used] = await client.zeqTakeWindows(keys.length, ...keys, ...limits);
    return { refusedBy, waitMs, used };
  }
}

const SCRIPT = `
local SLOT_MS, SLOTS = 100, 601
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local slot = math.floor(now / SLOT_MS)

local function split(entry)
  local s, c = string.match(entry, '^(%d+):(%d+)$')
  return tonumber(s), tonumber(c)
end

-- Drops what has left the window. A total that was evicted is counted anew; a list that was evicted is an empty window.
local function total_of(list, sum)
  local total = tonumber(redis.call('GET', sum) or '-1')
  if total < 0 then
    total = 0
    for _, entry in ipairs(redis.call('LRANGE', list, 0, -1)) do
      local _, c = split(entry)
      total = total + c
    end
  end
  while true do
    local first = redis.call('LINDEX', list, 0)
    if not first then return 0 end
    local s, c = split(first)
    if s + SLOTS > slot then return total end
    redis.call('LPOP', list)
    total = total - c
  end
end

-- When enough of the oldest calls will have left for one more.
local function wait_for(list, excess)
  for _, entry in ipairs(redis.call('LRANGE', list, 0, -1)) do
    local s, c = split(entry)
    excess = excess - c
    if excess <= 0 then return (s + SLOTS) * SLOT_MS - now end
  end
  return SLOTS * SLOT_MS
end

local totals = {}
for i, limit in ipairs(ARGV) do
  local list, sum = KEYS[2 * i - 1], KEYS[2 * i]
  totals[i] = total_of(list, sum)
  if totals[i] >= tonumber(limit) then
    redis.call('SET', sum, totals[i], 'PX', SLOTS * SLOT_MS)
    return { i - 1, wait_for(list, totals[i] - limit + 1), totals[1] }
  end
end
for i = 1, #ARGV do
  local list, sum = KEYS[2 * i - 1], KEYS[2 * i]
  local last = redis.call('LINDEX', list, -1)
  local s, c = 0, 0
  if last then s, c = split(last) end
  -- a clock that was set back counts in the newest slot
  if last and s >= slot then redis.call('LSET', list, -1, s .. ':' .. (c + 1))
  else redis.call('RPUSH', list, slot .. ':1') end
  redis.call('SET', sum, totals[i] + 1, 'PX', SLOTS * SLOT_MS)
  redis.call('PEXPIRE', list, SLOTS * SLOT_MS)
end
return { -1, 0, totals[1] + 1 }
`;
