import { ZEQOND_MS } from '@zeq/crypto';
import type { TimeSource } from '@zeq/service-kit';

/** Differences that the two clocks' rounding alone can make, in milliseconds. */
const ROUNDING_MS = 20;
const MIN_SPAN_MS = 60_000;

interface Reading {
  wall: number;
  monotonic: number;
}

/** Compares the wall clock with the monotonic one: tells a clock that was set from a process that stood still, and measures drift. */
export class ClockWatch {
  readonly #time: TimeSource;
  #last: Reading;
  #base: Reading;

  constructor(time: TimeSource) {
    this.#time = time;
    this.#last = this.#read();
    this.#base = this.#last;
  }

  /** Reads both clocks. @returns By how much the wall clock was set since the last call, in milliseconds; 0 when it was not. */
  look(): number {
    const now = this.#read();
    const set = now.wall - this.#last.wall - (now.monotonic - this.#last.monotonic);
    this.#last = now;
    if (Math.abs(set) <= ROUNDING_MS) return 0;
    this.#base = now; // drift is measured anew from here
    return set;
  }

  /** How fast the wall clock runs against the monotonic one, in parts per million; null until a minute has been seen. */
  get ppm(): number | null {
    const span = this.#last.monotonic - this.#base.monotonic;
    if (span < MIN_SPAN_MS) return null;
    return Math.round(((this.#last.wall - this.#base.wall) / span - 1) * 1e6);
  }

  #read(): Reading {
    return { wall: this.#time.wallMs(), monotonic: this.#time.monotonicMs() };
  }
}

/** Whether a clock that was set has left out whole Zeqonds. */
export const skipsZeqonds = (setMs: number): boolean => setMs >= ZEQOND_MS;
