import { performance } from 'node:perf_hooks';
import {
  type AppCaller,
  type Change,
  type IdentifyAnswer,
  type IdentifyRequest,
  type OwnerCaller,
  STALE_AFTER_MS,
} from '@zeq/contracts';
import { ProblemError } from './problem.ts';
import { SlotList, type Slotted } from './slot-list.ts';

const MAX_REMEMBERED = 50_000;
/** After a gap in the feed, identities with running calls are asked for until the vault answers (ms). */
const ASK_AGAIN_MS = 1_000;
/** Without the feed an identity is renewed from this age on (ms), not at its end: the vault may be away just then. */
const RENEW_AFTER_MS = 1_000;
const RENEW_EVERY_MS = 200;
/** How often is looked for identities that have expired under running calls (ms). */
const EXPIRY_EVERY_MS = 1_000;

/** Something that runs under an identity and ends when the identity does: a forwarded call, a socket. */
export interface Live extends Slotted {
  cut(): void;
}

/** Who a token stands for, as the vault said. */
export interface Identity {
  caller: OwnerCaller | AppCaller;
  /** Names this identity and this state of it; a changed one gets a new name. */
  serial: string;
  /** For the log: kind and slug. */
  who: string;
  /** Monotonic ms; Infinity for a key without end. */
  expiresAt: number;
  /** Monotonic ms. */
  fetchedAt: number;
  /** When a renewal was last tried; monotonic ms. */
  triedAt: number;
  /** To be asked for anew before it is used again; kept for the calls that run under it. */
  stale: boolean;
  live: SlotList<Live>;
}

export type Found = Identity | 'unknown' | 'expired';

/** Asks the vault. @returns Undefined when it knows no such token or key. @throws ProblemError `vault_unavailable`. */
export type Identify = (request: IdentifyRequest) => Promise<IdentifyAnswer | undefined>;

/** What is needed of the vault's change feed (`VaultFeed`). */
export interface Feed {
  isFresh(now?: number): boolean;
  readonly lastHeardAt: number;
  readonly generation: number;
  on(event: 'change', listener: (change: Change) => void): unknown;
  on(event: 'reset', listener: () => void): unknown;
}

export interface IdentitiesDeps {
  identify: Identify;
  feed: Feed;
  /** Monotonic milliseconds. */
  now?: () => number;
}

/**
 * Remembers who tokens stand for. A remembered identity is used while the vault's change feed is heard, and for five
 * seconds without it; a change or a revocation ends it at once, together with the calls that run under it. So does its expiry: a
 * stream or socket that was opened just before would otherwise hold the door open for as long as it likes.
 */
export class Identities {
  readonly #deps: IdentitiesDeps;
  readonly #now: () => number;
  readonly #known = new Map<string, Identity>();
  readonly #asked = new Map<string, Promise<Found>>();
  #serial = 0;

  constructor(deps: IdentitiesDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? (() => performance.now());
    deps.feed.on('change', (change) => this.#change(change));
    deps.feed.on('reset', () => this.#reset());
    setInterval(() => this.endExpired(), EXPIRY_EVERY_MS).unref();
  }

  /** Ends what has expired under running calls; called once a second. */
  endExpired(): void {
    const now = this.#now();
    for (const [key, { expiresAt, live }] of this.#known)
      if (live.size > 0 && now >= expiresAt) this.#end(key);
  }

  /** @param key SHA-256 of a token, or the id of a session's key. @returns What is known and may still be believed. */
  cached(key: string): Identity | 'expired' | undefined {
    const identity = this.#known.get(key);
    if (identity === undefined || identity.stale) return undefined;
    const now = this.#now();
    if (now >= identity.expiresAt) return 'expired';
    const { feed } = this.#deps;
    if (feed.isFresh(now)) return identity;
    const age = now - Math.max(identity.fetchedAt, feed.lastHeardAt);
    if (age > STALE_AFTER_MS) return undefined;
    if (age > RENEW_AFTER_MS && now - identity.triedAt > RENEW_EVERY_MS) this.#renew(key, identity, now);
    return identity;
  }

  /** The identity, asked for once however many calls wait for it. @throws ProblemError `vault_unavailable`. */
  find(key: string, request: IdentifyRequest): Promise<Found> {
    const known = this.cached(key);
    if (known !== undefined) return Promise.resolve(known);
    return this.#askOnce(key, request);
  }

  #askOnce(key: string, request: IdentifyRequest): Promise<Found> {
    const running = this.#asked.get(key);
    if (running !== undefined) return running;
    const asked = this.#ask(key, request).finally(() => this.#asked.delete(key));
    this.#asked.set(key, asked);
    return asked;
  }

  /** Beside the call, which needs no answer yet. */
  #renew(key: string, identity: Identity, now: number): void {
    identity.triedAt = now;
    this.#askOnce(key, requestOf(key)).catch((err: unknown) => {
      if (!(err instanceof ProblemError)) throw err; // a vault that is away is nothing new: it is asked again
    });
  }

  async #ask(key: string, request: IdentifyRequest): Promise<Found> {
    const { generation } = this.#deps.feed;
    const askedAt = this.#now();
    const answer = await this.#deps.identify(request);
    if (answer === undefined || answer.expired) {
      this.#end(key);
      return answer === undefined ? 'unknown' : 'expired';
    }
    // A change that came meanwhile may be newer than the answer: it serves this call only.
    const stale = this.#deps.feed.generation !== generation;
    return this.#remember(key, this.#identity(answer, askedAt, stale));
  }

  #identity({ caller, expires_at }: IdentifyAnswer, fetchedAt: number, stale: boolean): Identity {
    const id = caller.kind === 'owner' ? caller.key_id : caller.token_id;
    this.#serial += 1;
    const left = expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(expires_at) - Date.now();
    return {
      caller,
      serial: `${id}#${this.#serial}`,
      who: `${caller.kind}:${caller.slug}`,
      expiresAt: this.#now() + left,
      fetchedAt,
      triedAt: fetchedAt,
      stale,
      live: new SlotList(),
    };
  }

  #remember(key: string, identity: Identity): Identity {
    const before = this.#known.get(key);
    if (before !== undefined) identity.live = before.live; // calls of the older entry end with this one, too
    this.#known.delete(key);
    if (this.#known.size >= MAX_REMEMBERED) this.#forgetOldest();
    this.#known.set(key, identity);
    return identity;
  }

  #forgetOldest(): void {
    for (const [key, { live }] of this.#known) {
      if (live.size > 0) continue;
      this.#known.delete(key);
      return;
    }
  }

  #change({ what, id }: Change): void {
    if (what !== 'key_revoked' && what !== 'token_revoked' && what !== 'machine_removed') return;
    for (const [key, identity] of this.#known) if (names(identity.caller, id)) this.#end(key);
  }

  /** Forgets an identity and ends the calls that run under it. */
  #end(key: string): void {
    const identity = this.#known.get(key);
    this.#known.delete(key);
    for (const call of identity?.live.all() ?? []) call.cut();
  }

  /** Changes may have been missed: nothing is believed, and calls that run are asked about. */
  #reset(): void {
    for (const [key, identity] of this.#known) {
      identity.stale = true;
      if (identity.live.size > 0) void this.#askAgain(key);
      else this.#known.delete(key);
    }
  }

  async #askAgain(key: string): Promise<void> {
    const identity = this.#known.get(key);
    if (identity === undefined || !identity.stale || identity.live.size === 0) return;
    try {
      await this.find(key, requestOf(key));
    } catch (err) {
      if (!(err instanceof ProblemError)) throw err;
      setTimeout(() => void this.#askAgain(key), ASK_AGAIN_MS).unref(); // the vault is away
    }
  }
}

const requestOf = (key: string): IdentifyRequest =>
  key.startsWith('key_') ? { key_id: key } : { token_sha256: key };

/** Ids of machines, keys and tokens differ in their prefix, so one comparison serves all three. */
function names(caller: OwnerCaller | AppCaller, id: string): boolean {
  return caller.machine_id === id || (caller.kind === 'owner' ? caller.key_id : caller.token_id) === id;
}
