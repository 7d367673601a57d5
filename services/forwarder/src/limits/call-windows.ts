import type { RedisLink } from '@zeq/service-kit';
import { SharedWindows, type WindowVerdict } from '@zeq/service-kit';
import type { ApiState } from './api-state.ts';

/** One minute window that a call is counted in: of its API, or of its app token. */
export interface CallWindow {
  state: ApiState;
  /** Calls in any 60 s. */
  limit: number;
}

/** Counts a call in all of its windows, or in none of them. */
export interface CallWindows {
  /** @param now Monotonic ms. @returns At once where nobody has to be asked. */
  take(windows: readonly CallWindow[], now: number): WindowVerdict | Promise<WindowVerdict>;
}

/** The windows of this process. */
export class LocalWindows implements CallWindows {
  take(windows: readonly CallWindow[], now: number): WindowVerdict {
    for (const [refusedBy, { state, limit }] of windows.entries()) {
      const waitMs = state.window.waitMs(limit, now);
      if (waitMs > 0) return { refusedBy, waitMs, used: limit };
    }
    for (const { state } of windows) state.window.count();
    return { refusedBy: -1, waitMs: 0, used: windows[0]?.state.window.total ?? 0 };
  }
}

/**
 * The windows that all replicas share through Redis. While Redis is away each replica counts for itself, with the full limit:
 * calls go on, and at most replicas times the limit pass. What Redis admits is counted here too, so a replica that is left
 * alone knows its own past.
 */
export class ReplicatedWindows implements CallWindows {
  readonly #redis: RedisLink;
  readonly #shared: SharedWindows;
  readonly #local = new LocalWindows();

  constructor(redis: RedisLink) {
    this.#redis = redis;
    this.#shared = new SharedWindows(redis, 'zeq:calls:');
  }

  take(windows: readonly CallWindow[], now: number): WindowVerdict | Promise<WindowVerdict> {
    if (!this.#redis.isUp) return this.#local.take(windows, now);
    const asks = windows.map(({ state, limit }) => ({ id: state.id, limit }));
    return this.#shared.take(asks).then(
      (verdict) => {
        if (verdict.refusedBy < 0) countHere(windows, now);
        return verdict;
      },
      () => this.#local.take(windows, now), // said in the log by the link, once
    );
  }
}

function countHere(windows: readonly CallWindow[], now: number): void {
  for (const { state, limit } of windows) {
    state.window.waitMs(limit, now); // brings the window up to now
    state.window.count();
  }
}
