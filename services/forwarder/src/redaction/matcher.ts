import { wipe } from '@zeq/crypto';

const BLOCKS = 4_096;
const MAX_SKIP = 255;

/**
 * Finds any of several byte strings in one pass that skips most bytes (Wu and Manber, "A fast algorithm for multi-pattern
 * searching", 1994): the last two bytes of a window as long as the shortest string say how far the next possible match is.
 */
export class Matcher {
  /** Bytes of the match that `find` returned last. */
  length = 0;
  #forms: readonly Buffer[];
  readonly #window: number;
  readonly #skips = new Uint8Array(BLOCKS);
  readonly #firsts = new Uint8Array(256);

  /** @param forms At least one, each of 2 bytes or more, the longest first; the matcher wipes them. */
  constructor(forms: readonly Buffer[]) {
    this.#forms = forms;
    this.#window = forms.at(-1)!.length;
    this.#skips.fill(Math.min(this.#window - 1, MAX_SKIP));
    for (const form of forms) this.#learn(form);
  }

  /**
   * @param from Where to begin.
   * @returns Where the next whole match begins, the longest of those that begin there; -1 when there is none.
   */
  find(data: Buffer, from: number): number {
    const skips = this.#skips;
    const last = data.length - 1;
    let at = from + this.#window - 1;
    while (at <= last) {
      const skip = skips[blockOf(data[at - 1]!, data[at]!)]!;
      if (skip > 0) {
        at += skip;
        continue;
      }
      const start = at - this.#window + 1;
      if (this.#matchesAt(data, start)) return start;
      at += 1;
    }
    return -1;
  }

  /** How many bytes at the end of the data may be the beginning of a match that goes on beyond them. */
  unfinished(data: Buffer): number {
    const { length } = data;
    const longest = this.#forms[0]?.length ?? 0;
    for (let at = Math.max(0, length - longest + 1); at < length; at += 1) {
      if (this.#firsts[data[at]!] === 0) continue;
      for (const form of this.#forms) {
        if (form.length <= length - at) break; // so are all that follow
        if (isSame(data, at, form, length - at)) return length - at;
      }
    }
    return 0;
  }

  /** Overwrites what it knows. It finds nothing any more, and says so. */
  wipe(): void {
    wipe(...this.#forms, this.#skips, this.#firsts);
    this.#forms = WIPED;
  }

  #learn(form: Buffer): void {
    const end = this.#window - 2;
    this.#firsts[form[0]!] = 1;
    for (let at = 0; at <= end; at += 1) {
      const block = blockOf(form[at]!, form[at + 1]!);
      this.#skips[block] = Math.min(this.#skips[block]!, end - at);
    }
  }

  #matchesAt(data: Buffer, start: number): boolean {
    if (this.#forms === WIPED) throw new Error('This matcher was wiped.');
    for (const form of this.#forms) {
      if (form.length > data.length - start || !isSame(data, start, form, form.length)) continue;
      this.length = form.length;
      return true;
    }
    return false;
  }
}

/** A wiped table skips nothing, so every search ends in the check for this. */
const WIPED: readonly Buffer[] = [];

const blockOf = (first: number, second: number): number => ((first << 4) ^ second) & (BLOCKS - 1);

function isSame(data: Buffer, start: number, form: Buffer, count: number): boolean {
  for (let i = 0; i < count; i += 1) if (data[start + i] !== form[i]) return false;
  return true;
}
