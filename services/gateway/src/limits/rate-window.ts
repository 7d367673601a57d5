import { performance } from 'node:perf_hooks';
import type { ClientRateLimitInfo, Store } from 'express-rate-limit';

const SECONDS = 60;
/** One bucket more than a minute has seconds, so that a hit counts for at least 60 s wherever in its second it fell. */
const BUCKETS = SECONDS + 1;
const MAX_ADDRESSES = 50_000;

interface Window {
  counts: Uint32Array;
  total: number;
  /** Hits of the same key at other replicas, as last heard. */
  elsewhere: number;
  /** The newest second that `counts` speaks of. */
  second: number;
}

/**
 * Counts hits per key in a window that slides by the second: never more than the limit in any 60 s. Refused hits are not
 * counted, so a caller that keeps trying is let in again as soon as its earlier hits are old enough. Time is monotonic:
 * a clock that is set moves no window.
 *
 * Other replicas' hits can be added (`setElsewhere`); what they need to hear of this one's is kept when `reporting` is on.
 *
 * It is a store of express-rate-limit, so one instance can serve the middleware and whoever calls `hit` directly.
 */
export class RateWindow implements Store {
  readonly localKeys = true;
  readonly limit: number;
  readonly #now: () => number;
  readonly #windows = new Map<string, Window>();
  /** Hits since they were last taken, by key; 0 for a key that was only refused. */
  #unreported: Map<string, number> | undefined;

  /** @param limit Hits per key and minute. @param now Monotonic milliseconds. */
  constructor(limit: number, now: () => number = () => performance.now()) {
    this.limit = limit;
    this.#now = now;
  }

  /** Counts one hit. @returns Whether it is within the limit. */
  hit(key: string): boolean {
    const window = this.#windowOf(key);
    const admitted = window.total + window.elsewhere < this.limit;
    if (this.#unreported !== undefined) this.#note(key, admitted ? 1 : 0);
    if (!admitted) return false;
    window.total += 1;
    window.counts[window.second % BUCKETS]! += 1;
    return true;
  }

  /** Hits that are left to a key now. */
  left(key: string): number {
    const { total, elsewhere } = this.#windowOf(key);
    return Math.max(0, this.limit - total - elsewhere);
  }

  /** Hits since the last call, by key. The first call begins to keep them. */
  takeUnreported(): ReadonlyMap<string, number> {
    const taken = this.#unreported ?? new Map<string, number>();
    this.#unreported = new Map();
    return taken;
  }

  /** Hits that others counted for a key in the minute that ends now. */
  setElsewhere(key: string, hits: number): void {
    const window = this.#windows.get(key);
    if (window !== undefined) window.elsewhere = hits;
  }

  /** Nothing is known of others any more. */
  forgetElsewhere(): void {
    for (const window of this.#windows.values()) window.elsewhere = 0;
  }

  /** This process's own hits of a key in the minute that ends now. */
  own(key: string): number {
    return this.#windowOf(key).total;
  }

  /** Seconds until a hit of this key is forgotten; what Retry-After says. */
  secondsToNext(key: string): number {
    const { counts, second } = this.#windowOf(key);
    for (let age = SECONDS; age >= 0; age -= 1) {
      if (counts[(second - age + BUCKETS) % BUCKETS]! > 0) return BUCKETS - age;
    }
    return 1;
  }

  /** For express-rate-limit: a refused hit shows as one above the limit. */
  increment(key: string): ClientRateLimitInfo {
    const admitted = this.hit(key);
    const totalHits = admitted ? this.limit - this.left(key) : this.limit + 1;
    return { totalHits, resetTime: new Date(Date.now() + this.secondsToNext(key) * 1000) };
  }

  decrement(key: string): void {
    const window = this.#windowOf(key);
    const slot = window.second % BUCKETS;
    if (window.counts[slot]! === 0) return;
    window.counts[slot]! -= 1;
    window.total -= 1;
  }

  resetKey(key: string): void {
    this.#windows.delete(key);
  }

  #windowOf(key: string): Window {
    const second = Math.floor(this.#now() / 1000) + BUCKETS;
    let window = this.#windows.get(key);
    if (window === undefined) {
      if (this.#windows.size >= MAX_ADDRESSES) this.#forget(second);
      window = { counts: new Uint32Array(BUCKETS), total: 0, elsewhere: 0, second };
      this.#windows.set(key, window);
    } else if (window.second !== second) slide(window, second);
    return window;
  }

  #note(key: string, hits: number): void {
    const noted = this.#unreported!;
    if (noted.size < MAX_ADDRESSES || noted.has(key)) noted.set(key, (noted.get(key) ?? 0) + hits);
  }

  /** Windows whose hits are all old go; when there are none, the one that was opened first. */
  #forget(second: number): void {
    for (const [key, window] of this.#windows) {
      if (second - window.second >= BUCKETS) this.#windows.delete(key);
    }
    if (this.#windows.size < MAX_ADDRESSES) return;
    const first = this.#windows.keys().next();
    if (!first.done) this.#windows.delete(first.value);
  }
}

/** Empties the buckets of the seconds that have passed. */
function slide(window: Window, second: number): void {
  const passed = Math.min(second - window.second, BUCKETS);
  for (let i = 1; i <= passed; i += 1) {
    const slot = (window.second + i) % BUCKETS;
    window.total -= window.counts[slot]!;
    window.counts[slot] = 0;
  }
  window.second = second;
}
