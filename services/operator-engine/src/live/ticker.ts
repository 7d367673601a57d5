import { ZEQOND_MS } from '@zeq/crypto';
import { BorderTimer, type TimeSource } from '@zeq/service-kit';

/** Calls its listeners at every border of the clock. Without listeners it sets no timer. */
export class Ticker {
  readonly #time: TimeSource;
  readonly #timer: BorderTimer;
  readonly #listeners = new Set<(nowMs: number) => void>();

  constructor(time: TimeSource) {
    this.#time = time;
    this.#timer = new BorderTimer(time, ZEQOND_MS, () => this.#tick());
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** @returns Ends the subscription. */
  subscribe(listener: (nowMs: number) => void): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#timer.start();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#timer.stop();
    };
  }

  /** All of them get the same moment, so that what is made for one may serve the others. */
  #tick(): void {
    const nowMs = this.#time.wallMs();
    for (const listener of this.#listeners) listener(nowMs);
  }
}
