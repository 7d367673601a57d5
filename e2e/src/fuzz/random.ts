/** Numbers that follow from a seed (mulberry32): the same seed makes the same run. */
export class Random {
  #state: number;

  /** @param seed 32 bits of each part count. */
  constructor(...seed: number[]) {
    this.#state = seed.reduce(
      (state, part) => Math.imul(state ^ part, 0x9e3779b1) ^ (state >>> 15),
      0x2545f491,
    );
  }

  /** @returns A whole number from 0 up to below `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let word = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return Math.floor((((word ^ (word >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}
