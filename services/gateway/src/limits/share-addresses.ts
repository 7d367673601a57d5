import type { Logger, RedisLink } from '@zeq/service-kit';
import { safeError } from '@zeq/service-kit';
import type { RateWindow } from './rate-window.ts';

/** Replicas tell each other this often (ms). */
const EVERY_MS = 100;

/**
 * Makes one window of the windows that several gateways keep per address. Each counts for itself and decides at once; ten times a
 * second it adds what it admitted to Redis and hears what the others did. So no request waits for a counter, and at most what the
 * other replicas admit within one such step (and the time of one answer) passes above the limit. While Redis is away every
 * replica has the whole limit.
 *
 * @param prefix Keeps the addresses of one limit apart from those of another.
 */
export function shareAddresses(
  window: RateWindow,
  redis: RedisLink,
  log: Logger,
  prefix = 'zeq:address:',
): { stop: () => Promise<void> } {
  redis.client.defineCommand('zeqAddHits', { lua: SCRIPT, numberOfKeys: 1 });
  window.takeUnreported();
  let running = Promise.resolve();
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    running = exchange(window, redis, prefix)
      .catch((err: unknown) => {
        window.forgetElsewhere();
        log.debug({ err: safeError(err) }, 'addresses are counted here alone');
      })
      .finally(() => {
        busy = false;
      });
  }, EVERY_MS).unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}

type Counting = { zeqAddHits(key: string, hits: number): Promise<number> };

async function exchange(window: RateWindow, redis: RedisLink, prefix: string): Promise<void> {
  const hits = window.takeUnreported();
  if (!redis.isUp) {
    window.forgetElsewhere();
    return;
  }
  const client = redis.client as unknown as Counting;
  await Promise.all(
    Array.from(hits, async ([key, count]) => {
      const all = await client.zeqAddHits(`${prefix}${key}`, count);
      window.setElsewhere(key, Math.max(0, all - window.own(key)));
    }),
  );
}

/** Adds hits to the present second of an address and answers with those of the last 61 s, by the clock of Redis. */
const SCRIPT = `
local second = tonumber(redis.call('TIME')[1])
if tonumber(ARGV[1]) > 0 then
  redis.call('HINCRBY', KEYS[1], second, ARGV[1])
  redis.call('EXPIRE', KEYS[1], 62)
end
local all, total = redis.call('HGETALL', KEYS[1]), 0
for i = 1, #all, 2 do
  if tonumber(all[i]) <= second - 61 then redis.call('HDEL', KEYS[1], all[i])
  else total = total + tonumber(all[i + 1]) end
end
return total
`;
