import { type Change, type Lease, STALE_AFTER_MS } from '@zeq/contracts';
import type { VaultFeed } from '@zeq/service-kit';
import type { LeasedApi } from './leased-api.ts';
import type { LeaseSource } from './vault-client.ts';

const MAX_ENTRIES = 10_000;

interface Entry {
  api: LeasedApi;
  /** Monotonic ms. */
  fetchedAt: number;
}

/** What the cache needs of the change feed. */
export type Freshness = Pick<VaultFeed, 'isFresh' | 'lastHeardAt' | 'generation'>;

/**
 * Leases by machine and API, so that the usual call costs no hop. One is used while the change feed is live, and otherwise
 * until 5 s after it was last known to be true; then the vault is asked, and if it is away the call is refused.
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
    return entry !== undefined && this.#mayUse(entry, now) ? entry.api : undefined;
  }

  /**
   * Asks the vault; calls that want the same lease at the same time share one question.
   *
   * @returns undefined when the machine has no such API.
   * @throws ProblemError `vault_unavailable`
   */
  fetch(machineId: string, ref: string, now: number): Promise<LeasedApi | undefined> {
    const key = keyOf(machineId, ref);
    const running = this.#fetching.get(key);
    if (running !== undefined) return running;
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

  #mayUse({ fetchedAt }: Entry, now: number): boolean {
    if (this.#feed.isFresh(now)) return true;
    return now - Math.max(fetchedAt, this.#feed.lastHeardAt) <= STALE_AFTER_MS;
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
    if (generation === this.#feed.generation) this.#keep(key, { api, fetchedAt: now });
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

const keyOf = (machineId: string, ref: string): string => `${machineId} ${ref}`;
