import { type Change, type Lease, STALE_AFTER_MS } from '@zeq/contracts';
import { ProblemError, type VaultFeed } from '@zeq/service-kit';
import type { LeasedApi } from './leased-api.ts';
import type { LeaseSource } from './vault-client.ts';

const MAX_ENTRIES = 10_000;
/** Questions that may be open at the vault: with one that is slow, more would only wait for their timeout. */
const MAX_FETCHING = 1_000;
/** Without the feed a lease is renewed from this age on (ms), not at its end: the vault may be away just then. */
const RENEW_AFTER_MS = 1_000;
const RENEW_EVERY_MS = 200;

interface Entry {
  api: LeasedApi;
  /** Monotonic ms. */
  fetchedAt: number;
  /** When a renewal was last tried. */
  triedAt: number;
}

/** What the cache needs of the change feed. */
export type Freshness = Pick<VaultFeed, 'isFresh' | 'lastHeardAt' | 'generation'>;

/**
 * Leases by machine and API, so that the usual call costs no hop. One is used while the change feed is live, and otherwise
 * until 5 s after it was last known to be true; meanwhile the vault is asked beside the calls. Then it is asked before the call, and
 * if it is away the call is refused.
 */
export class LeaseCache {
  readonly #source: LeaseSource;
  readonly #feed: Freshness;
  readonly #prepare: (lease: Lease) => LeasedApi;
  readonly #entries = new Map<string, Entry>();
  readonly #fetching = new Map<string, Promise<LeasedApi | undefined>>();

  constructor(source: LeaseSource, feed: Freshness, prepare: (lease: Lease) => LeasedApi) {
    this.#source = source;
    this.#feed = feed;
    this.#prepare = prepare;
  }

  /**
   * @param ref The API's id or name.
   * @param now Monotonic ms.
   * @returns The lease if one may be used without asking.
   */
  held(machineId: string, ref: string, now: number): LeasedApi | undefined {
    const entry = this.#entries.get(keyOf(machineId, ref));
    if (entry === undefined || this.#feed.isFresh(now)) return entry?.api;
    const age = now - Math.max(entry.fetchedAt, this.#feed.lastHeardAt);
    if (age > STALE_AFTER_MS) return undefined;
    if (age > RENEW_AFTER_MS && now - entry.triedAt > RENEW_EVERY_MS) this.#renew(entry, machineId, ref, now);
    return entry.api;
  }

  /**
   * Asks the vault; calls that want the same lease at the same time share one question.
   *
   * @returns undefined when the machine has no such API.
   * @throws ProblemError `vault_unavailable`, `overloaded`
   */
  fetch(machineId: string, ref: string, now: number): Promise<LeasedApi | undefined> {
    const key = keyOf(machineId, ref);
    const running = this.#fetching.get(key);
    if (running !== undefined) return running;
    if (this.#fetching.size >= MAX_FETCHING) return Promise.reject(tooManyQuestions());
    const fetching = this.#fetch(key, machineId, ref, now).finally(() => this.#fetching.delete(key));
    this.#fetching.set(key, fetching);
    return fetching;
  }

  /** Drops what a change has made untrue. */
  forget(change: Change): void {
    for (const [key, { api }] of this.#entries) {
      const gone =
        change.what === 'machine_removed'
          ? api.lease.machine_id === change.machine_id
          : api.lease.api_id === change.id;
      if (gone) this.#entries.delete(key);
    }
  }

  /** Drops everything: changes may have been missed. */
  clear(): void {
    this.#entries.clear();
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Beside the call, which needs no answer yet. */
  #renew(entry: Entry, machineId: string, ref: string, now: number): void {
    entry.triedAt = now;
    this.fetch(machineId, ref, now).catch((err: unknown) => {
      if (!(err instanceof ProblemError)) throw err; // a vault that is away is nothing new: it is asked again
    });
  }

  async #fetch(key: string, machineId: string, ref: string, now: number): Promise<LeasedApi | undefined> {
    const { generation } = this.#feed;
    const lease = await this.#source.lease(machineId, ref);
    if (lease === undefined) {
      this.#entries.delete(key);
      return undefined;
    }
    const api = this.#prepare(lease);
    // A change that came meanwhile may be of this API: then the answer is for this call only.
    if (generation === this.#feed.generation) this.#keep(key, { api, fetchedAt: now, triedAt: now });
    return api;
  }

  #keep(key: string, entry: Entry): void {
    this.#entries.delete(key);
    if (this.#entries.size >= MAX_ENTRIES) {
      const oldest = this.#entries.keys().next();
      if (!oldest.done) this.#entries.delete(oldest.value);
    }
    this.#entries.set(key, entry);
  }
}

const tooManyQuestions = () =>
  new ProblemError('overloaded', 'Too many leases are being asked for.', { retryAfter: 1 });

const keyOf = (machineId: string, ref: string): string => `${machineId} ${ref}`;
