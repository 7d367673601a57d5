const WINDOW_MS = 60_000;
const SLOT_MS = 100;
const SLOTS = WINDOW_MS / SLOT_MS + 1;

/**
 * Calls of the last 60 s, counted in slots of 100 ms. The slot that is only partly inside the window counts whole, so no
 * stretch of 60 s, wherever it begins, ever holds more than the limit; a call is admitted at most 100 ms later than an exact
 * log of moments would. The memory is the same for every limit: 2.4 KB.
 */
export class RateWindow {
  readonly #counts = new Uint32Array(SLOTS);
  #total = 0;
  /** Number of the newest slot. */
  #newest = 0;

  /**
   * How long until one more call fits (ms); 0 when it fits now.
   *
   * @param now Monotonic milliseconds.
   */
  waitMs(limit: number, now: number): number {
    this.#advance(Math.floor(now / SLOT_MS));
    return this.#total < limit ? 0 : this.#untilRoom(limit, now);
  }

  /** Calls that the window holds, as of the last `waitMs`. */
  get total(): number {
    return this.#total;
  }

  /** Counts one call in the slot that `waitMs` last saw. */
  count(): void {
    this.#counts[this.#newest % SLOTS]! += 1;
    this.#total += 1;
  }

  #advance(slot: number): void {
    if (slot <= this.#newest) return;
    const steps = Math.min(slot - this.#newest, SLOTS);
    for (let step = 1; step <= steps; step += 1) {
      const at = (slot - steps + step) % SLOTS;
      this.#total -= this.#counts[at]!;
      this.#counts[at] = 0;
    }
    this.#newest = slot;
  }

  /** When enough of the oldest calls will have left the window for one more. */
  #untilRoom(limit: number, now: number): number {
    let excess = this.#total - limit + 1;
    for (let slot = Math.max(0, this.#newest - SLOTS + 1); slot <= this.#newest; slot += 1) {
      excess -= this.#counts[slot % SLOTS]!;
      if (excess <= 0) return (slot + SLOTS) * SLOT_MS - now;
    }
    return WINDOW_MS;
  }
}
