import { ZEQOND_MS, zeqondOf, zeqondStartMs } from '@zeq/crypto';
import type { TimeSource } from './time-source.ts';

/**
 * Calls at every Zeqond border of the wall clock. Each sleep is computed anew from the present time, so lateness never adds up; and
 * no sleep is longer than a Zeqond, so a clock that was set is noticed within one.
 */
export class BorderTimer {
  readonly #time: TimeSource;
  readonly #onBorder: (zeqond: number) => void;
  #last = 0;
  #cancel: (() => void) | undefined;

  /** @param onBorder Gets the Zeqond that has begun. After a clock was set back it gets one that was called before. */
  constructor(time: TimeSource, onBorder: (zeqond: number) => void) {
    this.#time = time;
    this.#onBorder = onBorder;
  }

  start(): void {
    this.#last = zeqondOf(this.#time.wallMs());
    this.#sleep();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #sleep(): void {
    const now = this.#time.wallMs();
    const untilBorder = zeqondStartMs(zeqondOf(now) + 1) - now;
    this.#cancel = this.#time.schedule(() => this.#wake(), Math.min(untilBorder, ZEQOND_MS));
  }

  /** Node's timers may fire a millisecond early: then this Zeqond was called already, and the rest is slept. */
  #wake(): void {
    const zeqond = zeqondOf(this.#time.wallMs());
    this.#sleep();
    if (zeqond === this.#last) return;
    this.#last = zeqond;
    this.#onBorder(zeqond);
  }
}
