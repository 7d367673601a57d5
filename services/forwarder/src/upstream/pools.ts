import type { SecureContext } from 'node:tls';
import type { BaseUrl } from '@zeq/egress';
import { Pool } from 'undici';
import { buildDial, type ConnectTcp } from './dial.ts';

/** Idle connections are closed after this long (ms), or sooner where the upstream says so. */
const KEEP_ALIVE_MS = 15_000;
const KEEP_ALIVE_MAX_MS = 60_000;
/** A connection that the upstream will close within this long (ms) is not used any more. */
const KEEP_ALIVE_MARGIN_MS = 2_000;
const MAX_RESPONSE_HEAD_BYTES = 64 * 1024;
/** A pool without calls for this long (ms) is closed. */
const IDLE_POOL_MS = 30_000;
const SWEEP_EVERY_MS = 10_000;
/** From this many on, one that lies idle goes for each that comes. Those in use are bounded by the calls in flight. */
const MANY_POOLS = 4_096;

export interface PoolPlace {
  machineId: string;
  url: BaseUrl;
  address: string;
  connectTimeoutMs: number;
}

export interface PoolsOptions {
  secureContext: SecureContext;
  connect: ConnectTcp;
}

export interface UpstreamPool {
  readonly pool: Pool;
  readonly address: string;
  /** Calls that hold it. */
  calls: number;
  /** Connections begun so far. */
  dials: number;
  /** Monotonic ms. */
  usedAt: number;
}

/**
 * Connections to upstreams, by machine, origin and checked address: a desynchronised connection can only hurt its own tenant,
 * and a name that moved never meets an old connection.
 */
export class Pools {
  readonly #byKey = new Map<string, UpstreamPool>();
  readonly #options: PoolsOptions;
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: PoolsOptions) {
    this.#options = options;
    this.#sweeper = setInterval(() => this.sweep(performance.now()), SWEEP_EVERY_MS).unref();
  }

  take(place: PoolPlace, now: number): UpstreamPool {
    const key = `${place.machineId} ${place.url.origin} ${place.address} ${place.connectTimeoutMs}`;
    const held = this.#byKey.get(key);
    if (held !== undefined && !held.pool.closed) return held;
    if (this.#byKey.size >= MANY_POOLS) this.#closeOneIdle();
    const pool = this.#open(place, now);
    this.#byKey.set(key, pool);
    return pool;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** Connections that stand. */
  get connections(): number {
    let sum = 0;
    for (const { pool } of this.#byKey.values()) sum += pool.stats.connected;
    return sum;
  }

  /** Closes what has been idle; a pool with a call in it stays. */
  sweep(now: number): void {
    for (const [key, { calls, usedAt, pool }] of this.#byKey) {
      if (calls > 0 || now - usedAt < IDLE_POOL_MS) continue;
      this.#byKey.delete(key);
      void pool.destroy();
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    const pools = [...this.#byKey.values()];
    this.#byKey.clear();
    await Promise.all(pools.map(({ pool }) => pool.destroy()));
  }

  #open({ url, address, connectTimeoutMs }: PoolPlace, now: number): UpstreamPool {
    const dial = buildDial({ url, address, timeoutMs: connectTimeoutMs, ...this.#options });
    const pool = new Pool(url.origin, {
      connections: null, // one per call in flight: what bounds those bounds these, and nothing waits in a queue
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
      keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
      maxHeaderSize: MAX_RESPONSE_HEAD_BYTES,
      connect: (options, callback) => {
        opened.dials += 1;
        return dial(options, callback);
      },
    });
    const opened: UpstreamPool = { pool, address, calls: 0, dials: 0, usedAt: now };
    return opened;
  }

  #closeOneIdle(): void {
    for (const [key, { calls, pool }] of this.#byKey) {
      if (calls > 0) continue;
      this.#byKey.delete(key);
      void pool.destroy();
      return;
    }
  }
}
