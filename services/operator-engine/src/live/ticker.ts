import { zeqondOf, zeqondStartMs } from '@zeq/crypto';

/** Calls its listeners at every border of the clock, on absolute time so that lateness never adds up. Idle, it sets no timer. */
export class Ticker {
  readonly #now: () => number;
  readonly #listeners = new Set<(nowMs: number) => void>();
  #timer: NodeJS.Timeout | undefined;

  /** @param now Unix milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** @returns Ends the subscription. */
  subscribe(listener: (nowMs: number) => void): () => void {
    this.#listeners.add(listener);
    if (this.#timer === undefined) this.#wait();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    };
  }

  #wait(): void {
    const now = this.#now();
    const border = zeqondStartMs(zeqondOf(now) + 1);
    this.#timer = setTimeout(() => this.#tick(border), border - now);
  }

  /** A timer may fire a little early; then the rest is waited for. */
  #tick(border: number): void {
    const now = this.#now();
    if (now >= border) for (const listener of this.#listeners) listener(now);
    if (this.#listeners.size > 0) this.#wait();
  }
}
