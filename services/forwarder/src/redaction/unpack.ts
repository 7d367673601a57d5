import type { Transform } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';
import { ProblemError } from '@zeq/service-kit';
import type { Encoding } from './content-encoding.ts';

/** An answer may always unpack to this many bytes, and beyond that to so many times its size. */
const FREE_BYTES = 32 * 1024 * 1024;
const MAX_GROWTH = 100;

export interface UnpackSink {
  data(chunk: Buffer): void;
  /** Takes more again. */
  drain(): void;
  end(): void;
  /** Nothing follows. */
  fail(problem: ProblemError): void;
}

/** Unpacks a stream that was encoded once or several times, as it comes, with backpressure. */
export class Unpacker {
  readonly #encodings: readonly Encoding[];
  readonly #sink: UnpackSink;
  #stages: Transform[] = [];
  #packedBytes = 0;
  #over = false;

  /** @param encodings In the order in which they were applied; at least one. */
  constructor(encodings: readonly Encoding[], sink: UnpackSink) {
    this.#encodings = encodings;
    this.#sink = sink;
  }

  /** @returns false when the writer should wait for `drain`. */
  write(chunk: Buffer): boolean {
    if (this.#over || chunk.length === 0) return true;
    if (this.#stages.length === 0) this.#open(chunk[0]!);
    this.#packedBytes += chunk.length;
    return this.#stages[0]!.write(chunk);
  }

  /** No bytes at all are an empty answer, whatever its encoding. */
  end(): void {
    if (this.#over) return;
    if (this.#stages.length === 0) this.#finish();
    else this.#stages[0]!.end();
  }

  pause(): void {
    this.#stages.at(-1)?.pause();
  }

  resume(): void {
    this.#stages.at(-1)?.resume();
  }

  destroy(): void {
    this.#over = true;
    for (const stage of this.#stages) stage.destroy();
  }

  #open(firstByte: number): void {
    this.#stages = this.#encodings.toReversed().map((encoding) => decoderOf(encoding, firstByte));
    for (const stage of this.#stages) this.#watch(stage);
    for (let i = 1; i < this.#stages.length; i += 1) this.#stages[i - 1]!.pipe(this.#stages[i]!);
    this.#stages[0]!.on('drain', () => this.#sink.drain());
    this.#stages
      .at(-1)!
      .on('data', (chunk: Buffer) => this.#over || this.#sink.data(chunk))
      .on('end', () => this.#finish());
  }

  /** Every stage is bounded, not only the last: what a bomb unpacks to may be nothing but more packing. */
  #watch(stage: Transform): void {
    let bytes = 0;
    stage.on('error', (cause) => this.#fail(cause));
    stage.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > FREE_BYTES + MAX_GROWTH * this.#packedBytes)
        this.#fail(new Error('The answer unpacks to too much.'));
    });
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink.end();
  }

  #fail(cause: Error): void {
    if (this.#over) return;
    this.destroy();
    const detail = 'The upstream answered with packed bytes that cannot be unpacked.';
    this.#sink.fail(new ProblemError('upstream_invalid', detail, { cause }));
  }
}

/** What has come is handed on at once, so that a stream stays one. */
function decoderOf(encoding: Encoding, firstByte: number): Transform {
  switch (encoding) {
    case 'gzip':
      return createGunzip({ flush: constants.Z_SYNC_FLUSH });
    case 'br':
      return createBrotliDecompress({ flush: constants.BROTLI_OPERATION_FLUSH });
    case 'zstd':
      return createZstdDecompress({ flush: constants.ZSTD_e_flush });
    case 'deflate':
      return isZlib(firstByte)
        ? createInflate({ flush: constants.Z_SYNC_FLUSH })
        : createInflateRaw({ flush: constants.Z_SYNC_FLUSH });
  }
}

/** `deflate` means the zlib format (RFC 9110 section 8.4.1.2), but some send the bare stream. */
const isZlib = (firstByte: number): boolean => (firstByte & 0x0f) === 8;
