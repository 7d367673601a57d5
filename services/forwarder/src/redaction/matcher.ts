import { wipe } from '@zeq/crypto';

const BLOCKS = 4_096;
const MAX_SKIP = 255;
const FIRSTS_AT = BLOCKS;
const FORMS_AT = FIRSTS_AT + 256;

/** Where what lies in a search table; it tells lengths and nothing else. */
export interface TableLayout {
  /** Of the forms, the longest first. */
  starts: readonly number[];
  lengths: readonly number[];
  /** Of the shortest form. */
  window: number;
}

/** What a matcher searches by: skips(4096) ‖ first bytes(256) ‖ forms. The bytes are as secret as the forms. */
export interface SearchTable {
  bytes: Buffer;
  layout: TableLayout;
}

/** @param forms At least one, each of 2 bytes or more, the longest first; the caller wipes them. */
export function buildTable(forms: readonly Buffer[]): SearchTable {
  const lengths = forms.map(({ length }) => length);
  const starts: number[] = [];
  let size = FORMS_AT;
  for (const length of lengths) {
    starts.push(size);
    size += length;
  }
  const bytes = Buffer.alloc(size);
  const window = lengths.at(-1)!;
  bytes.fill(Math.min(window - 1, MAX_SKIP), 0, BLOCKS);
  for (const [i, form] of forms.entries()) {
    form.copy(bytes, starts[i]);
    bytes[FIRSTS_AT + form[0]!] = 1;
    learn(bytes, form, window - 2);
  }
  return { bytes, layout: { starts, lengths, window } };
}

function learn(skips: Buffer, form: Buffer, end: number): void {
  for (let at = 0; at <= end; at += 1) {
    const block = blockOf(form[at]!, form[at + 1]!);
    skips[block] = Math.min(skips[block]!, end - at);
  }
}

/**
 * Finds any of several byte strings in one pass that skips most bytes (Wu and Manber, "A fast algorithm for multi-pattern
 * searching", 1994): the last two bytes of a window as long as the shortest string say how far the next possible match is.
 */
export class Matcher {
  /** Bytes of the match that `find` returned last. */
  length = 0;
  readonly #table: Buffer;
  readonly #layout: TableLayout;
  #isWiped = false;

  /** The matcher owns the table's bytes and wipes them. */
  constructor({ bytes, layout }: SearchTable) {
    this.#table = bytes;
    this.#layout = layout;
  }

  /**
   * @param from Where to begin.
   * @returns Where the next whole match begins, the longest of those that begin there; -1 when there is none.
   */
  find(data: Buffer, from: number): number {
    if (this.#isWiped) throw new Error('This matcher was wiped.');
    const table = this.#table;
    const { window } = this.#layout;
    const last = data.length - 1;
    let at = from + window - 1;
    while (at <= last) {
      const skip = table[blockOf(data[at - 1]!, data[at]!)]!;
      if (skip > 0) {
        at += skip;
        continue;
      }
      const start = at - window + 1;
      if (this.#matchesAt(data, start)) return start;
      at += 1;
    }
    return -1;
  }

  /** How many bytes at the end of the data may be the beginning of a match that goes on beyond them. */
  unfinished(data: Buffer): number {
    const { lengths } = this.#layout;
    const { length } = data;
    for (let at = Math.max(0, length - lengths[0]! + 1); at < length; at += 1) {
      if (this.#table[FIRSTS_AT + data[at]!] === 0) continue;
      const left = length - at;
      // the forms that are not longer come last
      for (let i = 0; i < lengths.length && lengths[i]! > left; i += 1)
        if (this.#isForm(i, data, at, left)) return left;
    }
    return 0;
  }

  /** Overwrites what it knows; it refuses to search from then on. */
  wipe(): void {
    wipe(this.#table);
    this.#isWiped = true;
  }

  #matchesAt(data: Buffer, start: number): boolean {
    const { lengths } = this.#layout;
    for (let i = 0; i < lengths.length; i += 1) {
      const length = lengths[i]!;
      if (length > data.length - start || !this.#isForm(i, data, start, length)) continue;
      this.length = length;
      return true;
    }
    return false;
  }

  /** Whether the first `count` bytes of a form stand there. */
  #isForm(form: number, data: Buffer, at: number, count: number): boolean {
    const table = this.#table;
    const start = this.#layout.starts[form]!;
    for (let i = 0; i < count; i += 1) if (data[at + i] !== table[start + i]) return false;
    return true;
  }
}

const blockOf = (first: number, second: number): number => ((first << 4) ^ second) & (BLOCKS - 1);
