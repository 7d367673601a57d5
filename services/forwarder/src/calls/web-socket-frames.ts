/** The heads of WebSocket frames (RFC 6455 section 5.2). */
export const FIN = 0x80;
export const MASKED = 0x80;
export const IS_CONTROL = 0x08;
export const LONGEST_HEAD = 14;
const OPCODE = 0x0f;
const CLOSE = 0x8;

/** @returns Bytes of the head, as soon as that can be told. */
export function headLength(bytes: Buffer): number | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes[1]! & 0x7f;
  const mask = (bytes[1]! & MASKED) === 0 ? 0 : 4;
  return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + mask;
}

/** @throws RangeError for a length that no buffer could have. */
export function payloadLength(head: Buffer): number {
  const short = head[1]! & 0x7f;
  if (short < 126) return short;
  const length = short === 126 ? head.readUInt16BE(2) : Number(head.readBigUInt64BE(2));
  if (length > Number.MAX_SAFE_INTEGER) throw new RangeError('A frame states an impossible length.');
  return length;
}

/** Follows the frames of one direction, from head to head, to tell a side that said goodbye from one that only left. */
export class GoodbyeWatch {
  /** A Close frame has begun. */
  seen = false;
  #head = Buffer.alloc(0);
  /** Bytes of payload that the present frame still has. */
  #left = 0;

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.seen) {
      const skipped = Math.min(this.#left, chunk.length - at);
      this.#left -= skipped;
      at += skipped;
      if (at < chunk.length) at += this.#takeHead(chunk.subarray(at));
    }
  }

  /** @returns How many of the bytes belong to the head. */
  #takeHead(data: Buffer): number {
    const had = this.#head.length;
    const bytes = had === 0 ? data : Buffer.concat([this.#head, data.subarray(0, LONGEST_HEAD - had)]);
    const length = headLength(bytes);
    if (length === undefined || bytes.length < length) {
      this.#head = Buffer.from(bytes);
      return data.length;
    }
    this.#head = Buffer.alloc(0);
    this.seen = (bytes[0]! & OPCODE) === CLOSE;
    this.#left = lengthOrEndless(bytes);
    return length - had;
  }
}

/** Nothing that comes after a frame of an impossible length is a frame. */
function lengthOrEndless(head: Buffer): number {
  try {
    return payloadLength(head);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
