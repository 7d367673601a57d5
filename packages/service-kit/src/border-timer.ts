import type { TimeSource } from './time-source.ts';

/**
 * Calls at every border of a period of the wall clock. Each sleep is computed anew from the present time, so lateness never adds up; and
 * no sleep is longer than a period, so a clock that was set is noticed within one.
 */
export class BorderTimer {
  readonly #time: TimeSource;
  readonly #periodMs: number;
  readonly #onBorder: (period: number) => void;
  #last = 0;
  #cancel: (() => void) | undefined;

  /** @param onBorder Gets the number of the period that has begun. After a clock was set back it gets one that was called before. */
  constructor(time: TimeSource, periodMs: number, onBorder: (period: number) => void) {
    this.#time = time;
    this.#periodMs = periodMs;
    this.#onBorder = onBorder;
  }

  start(): void {
    this.#last = this.#present();
    this.#sleep();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #present = (): number => Math.floor(this.#time.wallMs() / this.#periodMs);

  #sleep(): void {
    const untilBorder = (this.#present() + 1) * this.#periodMs - this.#time.wallMs();
    const delayMs = Math.min(Math.max(untilBorder, 1), this.#periodMs);
    this.#cancel = this.#time.schedule(() => this.#wake(), delayMs);
  }

  /** Node's timers may fire a millisecond early: then this period was called already, and the rest is slept. */
  #wake(): void {
    const period = this.#present();
    this.#sleep();
    if (period === this.#last) return;
    this.#last = period;
    this.#onBorder(period);
  }
}
