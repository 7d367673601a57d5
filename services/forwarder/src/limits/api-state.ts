import { Circuit, type CircuitState } from './circuit.ts';
import { RateWindow } from './rate-window.ts';
import { Returns } from './returns.ts';

/** What is counted for one API or one app token, across its leases. */
export class ApiState {
  readonly id: string;
  readonly window = new RateWindow();
  readonly circuit: Circuit;
  readonly returns = new Returns();
  inFlight = 0;
  /** Monotonic ms of the last call, so that what is not used any more can be forgotten. */
  usedAt = 0;

  constructor(id: string, { now, circuitChanged }: ApiStatesOptions = UNWATCHED) {
    this.id = id;
    this.circuit = new Circuit({ now, changed: (to) => circuitChanged(id, to) });
  }
}

export interface ApiStatesOptions {
  /** Monotonic ms. */
  now: () => number;
  circuitChanged: (id: string, to: CircuitState) => void;
}

const UNWATCHED: ApiStatesOptions = { now: () => performance.now(), circuitChanged: () => undefined };

/** A window that nobody has used for this long is empty. */
const FORGET_AFTER_MS = 120_000;
const SWEEP_ABOVE = 1_000;

/** States by id (`api_…`, `tok_…`); ids are never reused. */
export class ApiStates {
  readonly #byId = new Map<string, ApiState>();
  readonly #options: ApiStatesOptions | undefined;
  #sweepAt = SWEEP_ABOVE;

  constructor(options?: ApiStatesOptions) {
    this.#options = options;
  }

  of(id: string, now: number): ApiState {
    let state = this.#byId.get(id);
    if (state === undefined) {
      if (this.#byId.size >= this.#sweepAt) this.#sweep(now);
      state = new ApiState(id, this.#options);
      this.#byId.set(id, state);
    }
    state.usedAt = now;
    return state;
  }

  /** The API was changed: what its upstream did before says nothing about it now. */
  changed(id: string): void {
    this.#byId.get(id)?.circuit.close();
  }

  get size(): number {
    return this.#byId.size;
  }

  #sweep(now: number): void {
    for (const [id, state] of this.#byId) {
      const idle = state.inFlight === 0 && now - state.usedAt > FORGET_AFTER_MS;
      if (idle && state.circuit.state === 'closed') this.#byId.delete(id);
    }
    this.#sweepAt = Math.max(SWEEP_ABOVE, this.#byId.size * 2);
  }
}
