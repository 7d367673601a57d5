/** How far a Zeqond may lie from the present one, both ways. */
export const WINDOW_ZEQONDS = 1;

export type Admission = 'fresh' | 'replayed' | 'closed' | 'full';

/** Whether a Zeqond is the present one, the one before or the one after: the only ones that count. */
export const isInWindow = (zeqond: number, present: number): boolean =>
  Math.abs(zeqond - present) <= WINDOW_ZEQONDS;

/**
 * Admits every value once while its Zeqond lies in the window. The window alone would let a copy pass for 2.3 s; here each value is
 * kept until its Zeqond has left the window, and the window never moves back, so a clock that is set back opens nothing again.
 */
export class SeenSet {
  readonly #maxPerZeqond: number;
  readonly #seen = new Map<number, Set<string>>();
  #present = Number.NEGATIVE_INFINITY;

  /** @param maxPerZeqond Bounds the memory: at most three times this many values are held. */
  constructor(maxPerZeqond = 100_000) {
    this.#maxPerZeqond = maxPerZeqond;
  }

  /**
   * @param present The clock's Zeqond now.
   * @returns `fresh` once per value; `closed` outside the window; `full` when this Zeqond holds no more (refuse, as for a replay).
   */
  admit(zeqond: number, value: string, present: number): Admission {
    this.#moveTo(present);
    if (!isInWindow(zeqond, this.#present)) return 'closed';
    const seen = this.#seen.get(zeqond) ?? new Set<string>();
    if (seen.has(value)) return 'replayed';
    if (seen.size >= this.#maxPerZeqond) return 'full';
    this.#seen.set(zeqond, seen.add(value));
    return 'fresh';
  }

  /** How many values are held. */
  get size(): number {
    return [...this.#seen.values()].reduce((sum, seen) => sum + seen.size, 0);
  }

  #moveTo(present: number): void {
    if (present <= this.#present) return;
    this.#present = present;
    for (const zeqond of this.#seen.keys()) {
      if (zeqond < present - WINDOW_ZEQONDS) this.#seen.delete(zeqond);
    }
  }
}
