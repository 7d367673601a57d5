export type CircuitState = 'closed' | 'open' | 'half_open';

/** How long calls are held back when a circuit opens (ms); twice as long after each probe that fails. */
export const FIRST_HOLD_MS = 1_000;
export const LONGEST_HOLD_MS = 30_000;
/** How long a probe may keep everybody waiting that has not said anything yet (ms); then the next call is one as well. */
export const PROBE_MS = 30_000;
/** What a call is told to wait while a probe is out (ms). */
const PROBE_WAIT_MS = 1_000;

export interface CircuitOptions {
  /** Monotonic ms. */
  now: () => number;
  changed: (to: CircuitState) => void;
}

/**
 * Holds calls back from an upstream that has failed so many of them in a row, so that neither side's time is spent on calls
 * that will fail. After a while one call, the probe, is let through; what comes of it closes the circuit or holds it open for
 * longer. What other calls come to meanwhile says nothing: they began before.
 */
export class Circuit {
  readonly #options: CircuitOptions;
  #state: CircuitState = 'closed';
  /** In a row. */
  #failures = 0;
  #holdMs = FIRST_HOLD_MS;
  /** Monotonic ms; calls are held back until then. */
  #until = 0;

  constructor(options: CircuitOptions) {
    this.#options = options;
  }

  get state(): CircuitState {
    return this.#state;
  }

  /** How long calls are still held back (ms); 0 when one may go. */
  waitMs(): number {
    if (this.#state === 'closed') return 0;
    const leftMs = Math.max(0, this.#until - this.#options.now());
    return this.#state === 'half_open' ? Math.min(leftMs, PROBE_WAIT_MS) : leftMs;
  }

  /** Takes in a call that `waitMs` lets go. @returns Whether it is the probe. */
  enter(): boolean {
    if (this.#state === 'closed') return false;
    this.#until = this.#options.now() + PROBE_MS;
    this.#become('half_open');
    return true;
  }

  /** The upstream has answered, whatever the status. */
  succeeded(isProbe: boolean): void {
    if (this.#state === 'closed') this.#failures = 0;
    else if (isProbe) this.close();
  }

  /** @param most Failures in a row that open the circuit; 0: it never opens. */
  failed(isProbe: boolean, most: number): void {
    if (this.#state === 'closed') {
      this.#failures += 1;
      if (most > 0 && this.#failures >= most) this.#open();
    } else if (isProbe) {
      this.#holdMs = Math.min(this.#holdMs * 2, LONGEST_HOLD_MS);
      this.#open();
    }
  }

  /** The probe ended without telling anything, for example because its caller left: the next call is one. */
  abandoned(isProbe: boolean): void {
    if (isProbe && this.#state === 'half_open') this.#until = 0;
  }

  /** Begins anew, as after a change of the API. */
  close(): void {
    this.#failures = 0;
    this.#holdMs = FIRST_HOLD_MS;
    this.#become('closed');
  }

  #open(): void {
    this.#until = this.#options.now() + this.#holdMs;
    this.#become('open');
  }

  #become(state: CircuitState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.changed(state);
  }
}
