import { RateWindow } from './rate-window.ts';

/** What is counted for one API or one app token, across its leases. */
export class ApiState {
  readonly id: string;
  readonly window = new RateWindow();
  inFlight = 0;
  /** Monotonic ms of the last call, so that what is not used any more can be forgotten. */
  usedAt = 0;

  constructor(id: string) {
    this.id = id;
  }
}

/** A window that nobody has used for this long is empty. */
const FORGET_AFTER_MS = 120_000;
const SWEEP_ABOVE = 1_000;

/** States by id (`api_…`, `tok_…`); ids are never reused. */
export class ApiStates {
  readonly #byId = new Map<string, ApiState>();
  #sweepAt = SWEEP_ABOVE;

  of(id: string, now: number): ApiState {
    let state = this.#byId.get(id);
    if (state === undefined) {
      if (this.#byId.size >= this.#sweepAt) this.#sweep(now);
      state = new ApiState(id);
      this.#byId.set(id, state);
    }
    state.usedAt = now;
    return state;
  }

  get size(): number {
    return this.#byId.size;
  }

  #sweep(now: number): void {
    for (const [id, state] of this.#byId) {
      if (state.inFlight === 0 && now - state.usedAt > FORGET_AFTER_MS) this.#byId.delete(id);
    }
    this.#sweepAt = Math.max(SWEEP_ABOVE, this.#byId.size * 2);
  }
}
