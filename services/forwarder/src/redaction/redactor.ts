import type { Matcher } from './matcher.ts';

const LABEL = Buffer.from('[redacted]');
const FILL = 0x2a; // *
const NOTHING = Buffer.alloc(0);

/**
 * Takes a secret out of one stream of bytes, whatever chunks it comes in. What is put in its place is as long as it was, so
 * lengths that were stated stay true. Only bytes that may begin the secret wait for the next chunk.
 */
export class Redactor {
  readonly #secrets: Matcher;
  #held: Buffer = NOTHING;
  /** How many of the held bytes belong to a secret that was found already. */
  #heldMasked = 0;

  constructor(secrets: Matcher) {
    this.#secrets = secrets;
  }

  /** @returns What may go on now: the chunk itself when there is nothing to hide or to wait for, often less, sometimes more. */
  push(chunk: Buffer): Buffer {
    const data = this.#joined(chunk);
    const { out, maskedTo } = this.#mask(data);
    const keep = this.#secrets.unfinished(data);
    const sent = data.length - keep;
    this.#held = keep === 0 ? NOTHING : Buffer.from(data.subarray(sent));
    this.#heldMasked = Math.max(0, maskedTo - sent);
    return keep === 0 ? out : out.subarray(0, sent);
  }

  /** @returns The last of it. */
  end(chunk: Buffer = NOTHING): Buffer {
    const { out } = this.#mask(this.#joined(chunk));
    this.#held = NOTHING;
    this.#heldMasked = 0;
    return out;
  }

  #joined(chunk: Buffer): Buffer {
    return this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
  }

  /** Matches may overlap: each is looked for in the bytes as they came. */
  #mask(data: Buffer): { out: Buffer; maskedTo: number } {
    let out = data;
    let maskedTo = this.#heldMasked;
    if (maskedTo > 0) out = Buffer.from(data).fill(FILL, 0, maskedTo);
    for (let at = this.#secrets.find(data, 0); at >= 0; at = this.#secrets.find(data, at + 1)) {
      if (out === data) out = Buffer.from(data);
      const end = at + this.#secrets.length;
      if (at >= maskedTo) cover(out, at, end);
      else if (end > maskedTo) out.fill(FILL, maskedTo, end);
      maskedTo = Math.max(maskedTo, end);
    }
    return { out, maskedTo };
  }
}

function cover(out: Buffer, start: number, end: number): void {
  out.fill(FILL, start, end);
  if (end - start >= LABEL.length) LABEL.copy(out, start);
}
