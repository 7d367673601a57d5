/** Refused callers that are told to come back in each second. */
const RETURNS_PER_SECOND = 100;
const SOONEST_MS = 1_000;
const LATEST_MS = 30_000;

/**
 * When callers who were refused should come back: one after the other, not all of them in a second, because a refusal costs
 * time, too, and what a crowd of them costs is taken from everybody else. The first is told one second; a caller who never
 * comes back leaves no trace, for the places lie in time and pass with it.
 */
export class Returns {
  /** Monotonic ms of the place that was given last. */
  #last = Number.NEGATIVE_INFINITY;

  /** @param now Monotonic ms. @returns Seconds for Retry-After. */
  nextSeconds(now: number): number {
    const place = Math.max(this.#last + 1_000 / RETURNS_PER_SECOND, now + SOONEST_MS);
    this.#last = Math.min(place, now + LATEST_MS);
    return Math.floor((this.#last - now) / 1_000);
  }
}
