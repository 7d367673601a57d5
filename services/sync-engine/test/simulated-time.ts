import type { TimeSource } from '@zeq/service-kit';

interface Timer {
  at: number;
  callback: () => void;
}

/** Clocks that a test moves: the wall clock may jump and drift, timers run by the monotonic one. */
export class SimulatedTime implements TimeSource {
  #monotonic = 0;
  #wallBase: number;
  #rate = 1;
  #timers: Timer[] = [];

  constructor(startMs = 1_740_499_200_000) {
    this.#wallBase = startMs;
  }

  wallMs = (): number => Math.floor(this.#wallBase + this.#monotonic * this.#rate);
  monotonicMs = (): number => this.#monotonic;

  schedule(callback: () => void, delayMs: number): () => void {
    const timer = { at: this.#monotonic + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Somebody sets the wall clock. */
  jump(ms: number): void {
    this.#wallBase += ms;
  }

  /** The wall clock runs fast by so many parts per million from here on. */
  drift(ppm: number): void {
    const now = this.#wallBase + this.#monotonic * this.#rate;
    this.#rate = 1 + ppm / 1e6;
    this.#wallBase = now - this.#monotonic * this.#rate;
  }

  /** The process stands still: time passes, and its timers run late. */
  stall(ms: number): void {
    this.#monotonic += ms;
  }

  /** Lets time pass; timers run in their order, and what they began comes to its end. */
  async pass(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    for (;;) {
      await settle();
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#monotonic = Math.max(this.#monotonic, next.at);
      next.callback();
    }
    this.#monotonic = Math.max(this.#monotonic, end);
  }
}

/** Stores answer after a few turns of the event loop at most. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
}
