import type { KeyObject } from 'node:crypto';
import {
  GcmError,
  HITE_SESSION_MS,
  type HiteSession,
  hiteStoreKey,
  packHiteSession,
  unpackHiteSession,
} from '@zeq/crypto';
import { type Logger, ProblemError, type RedisLink } from '@zeq/service-kit';
import { RedisEpoch } from './redis-epoch.ts';
import { ADD_SCRIPT, PACKED_AT, TAKE_SCRIPT } from './redis-scripts.ts';
import { type HiteSessions, MAX_SESSIONS, type Taken } from './sessions.ts';

/** Sessions whose keys are kept unpacked here; whether one still lives, Redis says at every frame. */
const MAX_UNPACKED = 10_000;
const VERDICTS: Record<number, Taken> = { 1: 'accepted', 0: 'replayed' };

/** ioredis gives a script's name to its client. */
interface Scripts {
  zeqHiteAdd(...args: (string | number)[]): Promise<number>;
  zeqHiteTake(...args: (string | number)[]): Promise<number>;
}

/**
 * Sessions that every replica serves, with one replay window for all of them. Redis holds a session sealed under a key derived
 * from ZEQ_HITE_SECRET, so whoever reads Redis opens no frame. While it is away nothing is believed: without it nobody can say
 * that a frame is not being sent a second time, to another replica.
 */
export class RedisSessions implements HiteSessions {
  readonly #redis: RedisLink;
  readonly #epoch: RedisEpoch;
  readonly #storeKey: KeyObject;
  readonly #unpacked = new Map<string, HiteSession>();
  readonly #max: number;

  constructor(redis: RedisLink, secret: string, log: Logger, max = MAX_SESSIONS) {
    this.#redis = redis;
    this.#epoch = new RedisEpoch(redis, log);
    this.#storeKey = hiteStoreKey(secret);
    this.#max = max;
    redis.client.defineCommand('zeqHiteAdd', { lua: ADD_SCRIPT, numberOfKeys: 3 });
    redis.client.defineCommand('zeqHiteTake', { lua: TAKE_SCRIPT, numberOfKeys: 3 });
  }

  async add(session: HiteSession): Promise<void> {
    const packed = packHiteSession(this.#storeKey, session);
    const added = await this.#ask((scripts, prefix) =>
      scripts.zeqHiteAdd(
        ...keysOf(prefix, session.id),
        packed,
        session.id,
        HITE_SESSION_MS,
        this.#max,
        `${prefix}session:`,
      ),
    );
    if (added !== 1) throw new ProblemError('overloaded', 'There are too many HITE sessions.');
    this.#keep(session);
  }

  async find(id: string): Promise<HiteSession | undefined> {
    const known = this.#unpacked.get(id);
    if (known !== undefined) return known;
    const packed = await this.#ask((_scripts, prefix) =>
      this.#redis.client.getrange(`${prefix}session:${id}`, PACKED_AT, -1),
    );
    return packed === '' ? undefined : this.#unpack(id, packed);
  }

  async take(id: string, counter: number): Promise<Taken> {
    const verdict = await this.#ask((scripts, prefix) =>
      scripts.zeqHiteTake(...keysOf(prefix, id), counter, id),
    );
    const taken = VERDICTS[verdict] ?? 'unknown';
    if (taken === 'unknown') this.#unpacked.delete(id);
    return taken;
  }

  /** @returns Undefined for what another ZEQ_HITE_SECRET packed: to this gateway that session is unknown. */
  #unpack(id: string, packed: string): HiteSession | undefined {
    try {
      const session = unpackHiteSession(this.#storeKey, id, packed);
      this.#keep(session);
      return session;
    } catch (err) {
      if (err instanceof GcmError || err instanceof RangeError) return undefined;
      throw err;
    }
  }

  /** The session that has been kept longest goes when there are too many. */
  #keep(session: HiteSession): void {
    if (this.#unpacked.size >= MAX_UNPACKED) {
      const first = this.#unpacked.keys().next();
      if (!first.done) this.#unpacked.delete(first.value);
    }
    this.#unpacked.set(session.id, session);
  }

  async #ask<T>(question: (scripts: Scripts, prefix: string) => Promise<T>): Promise<T> {
    const { run } = this.#epoch;
    if (run === undefined || !this.#redis.isUp) throw away();
    try {
      return await question(this.#redis.client as unknown as Scripts, `zeq:hite:${run}:`);
    } catch (err) {
      throw away(err);
    }
  }
}

const keysOf = (prefix: string, id: string) => [`${prefix}session:${id}`, `${prefix}unused`, `${prefix}used`];

const away = (cause?: unknown) =>
  new ProblemError('hite_unavailable', 'The sessions of the channel cannot be reached.', {
    ...(cause !== undefined && { cause }),
  });
