import type { Bytes } from '../encoding.ts';

/** Where bytes come from: a Node stream, an array of chunks, or `chunksOf` a browser's stream. */
export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Reads a stream in the pieces that a layout asks for. It holds at most one piece and one chunk. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  readonly #held: Uint8Array[] = [];
  #heldBytes = 0;

  constructor(source: ByteSource) {
    this.#chunks =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  /** The next bytes: as many as asked for, fewer only where the stream ends. */
  async take(length: number): Promise<Bytes> {
    while (this.#heldBytes < length && (await this.#pull()));
    const taken = new Uint8Array(Math.min(length, this.#heldBytes));
    for (let at = 0; at < taken.length; ) {
      const part = this.#held[0]!.subarray(0, taken.length - at);
      taken.set(part, at);
      at += part.length;
      this.#drop(part.length);
    }
    return taken;
  }

  /** Whether nothing more comes. */
  async atEnd(): Promise<boolean> {
    while (this.#heldBytes === 0 && (await this.#pull()));
    return this.#heldBytes === 0;
  }

  /** Gives the source back, so that an open file or connection behind it is closed. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** Lets go of bytes at the front, all of the first chunk. */
  #drop(length: number): void {
    const first = this.#held[0]!;
    if (length === first.length) this.#held.shift();
    else this.#held[0] = first.subarray(length);
    this.#heldBytes -= length;
  }

  async #pull(): Promise<boolean> {
    const next = await this.#chunks.next();
    if (next.done) return false;
    this.#held.push(next.value);
    this.#heldBytes += next.value.length;
    return true;
  }
}

/** The chunks of a browser's stream; not every browser can iterate one by itself. */
export async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel();
  }
}
