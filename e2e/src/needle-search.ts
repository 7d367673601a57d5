import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Finds any of many needles in bytes, in one pass whatever their number. */
export class NeedleSearch {
  readonly #needles: { label: string; bytes: Buffer }[];
  /** Which needles begin with these three bytes. */
  readonly #byHead = new Map<number, number[]>();
  /** One bit per three bytes: almost every position of a haystack is passed by with a look at it. */
  readonly #heads = new Uint8Array(2 ** 21);

  /** @param needles Each of at least three bytes. */
  constructor(needles: Iterable<[label: string, bytes: Buffer]>) {
    this.#needles = [...needles].map(([label, bytes]) => ({ label, bytes }));
    for (const [i, { bytes }] of this.#needles.entries()) {
      const head = bytes.readUIntBE(0, 3);
      this.#heads[head >> 3]! |= 1 << (head & 7);
      this.#byHead.set(head, [...(this.#byHead.get(head) ?? []), i]);
    }
  }

  /** @returns The labels of the needles that are in there. */
  hitsIn(haystack: Buffer): string[] {
    const hits = new Set<string>();
    let head = haystack.length > 1 ? haystack.readUInt16BE(0) : 0;
    for (let at = 2; at < haystack.length; at += 1) {
      head = ((head << 8) | haystack[at]!) & 0xffffff;
      if ((this.#heads[head >> 3]! & (1 << (head & 7))) !== 0) this.#compare(haystack, at - 2, head, hits);
    }
    return [...hits];
  }

  #compare(haystack: Buffer, at: number, head: number, hits: Set<string>): void {
    for (const i of this.#byHead.get(head) ?? []) {
      const { label, bytes } = this.#needles[i]!;
      if (haystack.subarray(at, at + bytes.length).equals(bytes)) hits.add(label);
    }
  }

  /** @returns `file: label` for every hit in the files below a folder. */
  async hitsBelow(folder: string): Promise<string[]> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const hits: string[] = [];
    for (const entry of entries.filter((one) => one.isFile())) {
      const path = join(entry.parentPath, entry.name);
      for (const label of this.hitsIn(await readFile(path))) hits.push(`${path}: ${label}`);
    }
    return hits;
  }
}
