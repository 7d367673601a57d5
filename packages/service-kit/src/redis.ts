import { Redis } from 'ioredis';
import { Gauge, type Registry } from 'prom-client';
import { type Logger, safeError } from './logger.ts';

/** A probe goes out this often (ms); this many in a row without an answer, and the connection counts as gone. */
const PROBE_MS = 250;
const PROBES_MISSED = 4;
/** ioredis limits the time until the socket is open, not until Redis has answered its first commands: at most so many probes. */
const PROBES_OPENING = 8;
const CONNECT_MS = 2_000;
const MAX_BACKOFF_MS = 2_000;

/** A connection that is there or not, and never makes a caller wait for it. */
export interface RedisLink {
  readonly client: Redis;
  /** Whether a command would be sent now. */
  readonly isUp: boolean;
  close: () => Promise<void>;
}

/**
 * Connects in the background and for ever, with jittered backoff up to 2 s. While it is away commands fail at once
 * (no queue), so that whoever uses it falls back to what it has in process. A Redis that hangs is noticed within about a
 * second, or two while the connection opens; a stall of this process is not mistaken for one, because it delays the probes
 * as well. Commands of one turn leave as one write.
 *
 * @param url `redis://` or `rediss://`, with the password.
 */
export function openRedis(url: string, log: Logger): RedisLink {
  const client = new Redis(url, {
    connectTimeout: CONNECT_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false, // whoever waited has gone on without it
    enableAutoPipelining: true,
    retryStrategy: (attempt) =>
      Math.min(MAX_BACKOFF_MS, 100 * 2 ** Math.min(attempt, 6)) * (0.5 + Math.random() / 2),
    reconnectOnError: () => false,
  });
  let told = false;
  client.on('error', (err: unknown) => {
    if (!told)
      log.warn(
        { err: safeError(err) },
        'Redis cannot be reached; what it shares is kept in process meanwhile',
      );
    told = true;
  });
  client.on('ready', () => {
    if (told) log.info('Redis is back');
    told = false;
  });
  const probing = setInterval(probeWith(client), PROBE_MS).unref();
  return {
    client,
    get isUp() {
      return client.status === 'ready';
    },
    close: async () => {
      clearInterval(probing);
      if (client.status === 'ready') await client.quit().catch(() => client.disconnect());
      else client.disconnect();
    },
  };
}

/**
 * Cuts a connection whose probes stay unanswered, or that opened and is never ready: every command that waits on it fails,
 * and a new connection is tried.
 */
function probeWith(client: Redis): () => void {
  let opening = 0;
  let missed = 0;
  let waiting = false;
  return function probe() {
    opening = client.status === 'connect' ? opening + 1 : 0;
    if (opening > PROBES_OPENING) {
      opening = 0;
      client.stream.destroy();
    } else if (client.status !== 'ready') {
      missed = 0;
      waiting = false;
    } else if (waiting) {
      missed += 1;
      if (missed >= PROBES_MISSED) client.stream.destroy(); // a polite end would wait for the other side
    } else {
      missed = 0;
      waiting = true;
      const answered = () => {
        waiting = false;
      };
      client.ping().then(answered, answered);
    }
  };
}

/** `zeq_redis_up`: 0 says that replicas count for themselves. */
export function redisGauge(registry: Registry, link: RedisLink): void {
  new Gauge({
    name: 'zeq_redis_up',
    help: '1 while counters are shared through Redis, 0 while every replica counts for itself',
    registers: [registry],
    collect() {
      this.set(link.isUp ? 1 : 0);
    },
  });
}
