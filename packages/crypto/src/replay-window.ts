/** How far behind the highest counter a frame may come: parallel requests overtake each other. */
export const REPLAY_WINDOW = 1024;

/**
 * Which counters were seen: each counts once, and those more than 1,023 behind the highest are refused because nobody remembers
 * them (RFC 4303, section 3.4.3, has the same idea). 128 bytes, whatever comes.
 */
export class ReplayWindow {
  #highest = -1;
  readonly #seen = new Uint8Array(REPLAY_WINDOW / 8);

  /**
   * Takes a counter, once. Call it only for a frame that authenticated: a forged one must not move the window.
   *
   * @returns false if it was taken before or is behind the window.
   */
  accept(counter: number): boolean {
    if (!Number.isSafeInteger(counter) || counter < 0 || counter <= this.#highest - REPLAY_WINDOW)
      return false;
    if (counter > this.#highest) this.#advance(counter);
    const [byte, bit] = slot(counter);
    if ((this.#seen[byte]! & bit) !== 0) return false;
    this.#seen[byte]! |= bit;
    return true;
  }

  /** Forgets what falls behind, so that its slots can serve the counters that come. */
  #advance(highest: number): void {
    if (highest - this.#highest >= REPLAY_WINDOW) this.#seen.fill(0);
    else for (let counter = this.#highest + 1; counter <= highest; counter += 1) this.#forget(counter);
    this.#highest = highest;
  }

  #forget(counter: number): void {
    const [byte, bit] = slot(counter);
    this.#seen[byte]! &= ~bit;
  }
}

/** The byte and the bit of a counter in a ring of 1,024 bits. */
function slot(counter: number): [byte: number, bit: number] {
  const position = counter % REPLAY_WINDOW;
  return [position >> 3, 1 << (position & 7)];
}
