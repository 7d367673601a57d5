import { type EndedSessions, type Logger, type RedisLink, safeError } from '@zeq/service-kit';

/** Replicas look for sessions that ended elsewhere this often (ms). */
const EVERY_MS = 250;
const KEY = 'zeq:ended-sessions';
/** A look goes back this far behind the last one, for what was written meanwhile (ms). */
const OVERLAP_MS = 2_000;
/** The longest that a session's token lives after it ended, skew included (s). */
const LIFE_SECONDS = 16 * 60;

/**
 * Makes a sign-out at one gateway hold at all of them, within a quarter of a second: what ended is written to a sorted set in
 * Redis by its clock, and each replica reads what is new there. No request waits for it. While Redis is away a sign-out holds
 * where it was made, and is told to the others afterwards; a session is over within 15 minutes in any case.
 */
export function shareEndedSessions(
  ended: EndedSessions,
  redis: RedisLink,
  log: Logger,
): { stop: () => Promise<void> } {
  redis.client.defineCommand('zeqEndSession', { lua: SCRIPT, numberOfKeys: 1 });
  let seenMs = 0;
  let running = Promise.resolve();
  let busy = false;
  const timer = setInterval(() => {
    if (busy || !redis.isUp) return;
    busy = true;
    running = tell(ended, redis)
      .then(async () => {
        seenMs = await hear(ended, redis, seenMs);
      })
      .catch((err: unknown) => log.debug({ err: safeError(err) }, 'ended sessions are known here alone'))
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

type Ending = { zeqEndSession(key: string, member: string, lifeSeconds: number): Promise<unknown> };

async function tell(ended: EndedSessions, redis: RedisLink): Promise<void> {
  const untold = ended.takeUntold();
  const client = redis.client as unknown as Ending;
  try {
    for (const [sid, until] of untold) await client.zeqEndSession(KEY, `${sid} ${until}`, LIFE_SECONDS);
  } catch (err) {
    ended.keepUntold(untold); // telling one twice does no harm
    throw err;
  }
}

/** @returns When, by the clock of Redis (ms), the last of them ended. */
async function hear(ended: EndedSessions, redis: RedisLink, seenMs: number): Promise<number> {
  const found = await redis.client.zrangebyscore(KEY, seenMs - OVERLAP_MS, '+inf', 'WITHSCORES');
  for (let i = 0; i < found.length; i += 2) {
    const [sid, until] = found[i]!.split(' ');
    if (sid !== undefined && !ended.has(sid)) ended.learn(sid, Number(until));
  }
  return Number(found.at(-1) ?? seenMs);
}

/** Adds one session at this moment of Redis's clock, and drops those whose tokens have all expired. */
const SCRIPT = `
local time = redis.call('TIME')
local ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZADD', KEYS[1], ms, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ms - tonumber(ARGV[2]) * 1000)
redis.call('EXPIRE', KEYS[1], ARGV[2])
return ms
`;
