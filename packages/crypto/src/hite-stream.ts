import { HiteError } from './hite-error.ts';
import { openHiteResponse, sealHiteResponse } from './hite-frame.ts';
import {
  HITE_LENGTH_BYTES,
  HITE_MAX_FRAME_BYTES,
  HITE_MAX_PART_BYTES,
  HITE_PART,
  type HitePartKind,
  hitePartKind,
} from './hite-layout.ts';
import type { HiteSession } from './hite-session.ts';

export interface HitePart {
  kind: HitePartKind;
  payload: Buffer;
}

/**
 * Seals one answer as a stream: first its head, then a frame for each chunk of its body as it comes, then its end. On the wire each
 * frame is preceded by its length (4 bytes, big-endian). The end is a frame of its own, so an answer that was cut off shows.
 */
export class HiteResponseSealer {
  readonly #session: HiteSession;
  readonly #requestCounter: number;
  #index = 0;
  #ended = false;

  constructor(session: HiteSession, requestCounter: number) {
    this.#session = session;
    this.#requestCounter = requestCounter;
  }

  /** The first frame: status and headers. */
  head(payload: Uint8Array): Buffer {
    if (this.#index !== 0) throw new Error('HITE answer: the head is the first frame');
    if (payload.length > HITE_MAX_PART_BYTES) throw new RangeError('HITE answer: the head is too long');
    return this.#frame('head', payload);
  }

  /** One chunk of the body. Nothing comes of an empty one. */
  data(chunk: Uint8Array): Buffer {
    if (this.#index === 0) throw new Error('HITE answer: the head is the first frame');
    const frames: Buffer[] = [];
    for (let from = 0; from < chunk.length; from += HITE_MAX_PART_BYTES) {
      frames.push(this.#frame('data', chunk.subarray(from, from + HITE_MAX_PART_BYTES)));
    }
    return Buffer.concat(frames);
  }

  /** The last frame. Without it the other side knows that something is missing. */
  end(): Buffer {
    if (this.#index === 0) throw new Error('HITE answer: the head is the first frame');
    const frame = this.#frame('end', new Uint8Array(0));
    this.#ended = true;
    return frame;
  }

  #frame(kind: HitePartKind, payload: Uint8Array): Buffer {
    if (this.#ended) throw new Error('HITE answer: it has ended');
    const plaintext = Buffer.concat([Buffer.of(HITE_PART[kind]), payload]);
    const frame = sealHiteResponse(this.#session, this.#requestCounter, this.#index, plaintext);
    this.#index += 1;
    const length = Buffer.alloc(HITE_LENGTH_BYTES);
    length.writeUInt32BE(frame.length);
    return Buffer.concat([length, frame]);
  }
}

/** Opens one answer as it arrives, in whatever pieces the network makes of it. */
export class HiteResponseOpener {
  readonly #session: HiteSession;
  readonly #requestCounter: number;
  #held: Buffer = Buffer.alloc(0);
  #index = 0;
  #ended = false;

  constructor(session: HiteSession, requestCounter: number) {
    this.#session = session;
    this.#requestCounter = requestCounter;
  }

  /**
   * The parts that are complete with these bytes.
   *
   * @throws HiteError `hite_frame_refused` for a frame that was changed, dropped, repeated, moved, taken from another answer, or that
   * comes after the end.
   */
  push(bytes: Uint8Array): HitePart[] {
    this.#held = Buffer.concat([this.#held, bytes]);
    const parts: HitePart[] = [];
    for (let frame = this.#takeFrame(); frame !== undefined; frame = this.#takeFrame()) {
      parts.push(this.#open(frame));
    }
    return parts;
  }

  /** Call it when the connection has ended. @throws HiteError `hite_truncated` if the answer had not. */
  finish(): void {
    if (!this.#ended || this.#held.length > 0) throw new HiteError('hite_truncated');
  }

  #takeFrame(): Buffer | undefined {
    if (this.#ended && this.#held.length > 0) throw new HiteError('hite_frame_refused');
    if (this.#held.length < HITE_LENGTH_BYTES) return undefined;
    const length = this.#held.readUInt32BE();
    if (length > HITE_MAX_FRAME_BYTES) throw new HiteError('hite_frame_refused');
    if (this.#held.length < HITE_LENGTH_BYTES + length) return undefined;
    const frame = this.#held.subarray(HITE_LENGTH_BYTES, HITE_LENGTH_BYTES + length);
    this.#held = this.#held.subarray(HITE_LENGTH_BYTES + length);
    return frame;
  }

  #open(frame: Buffer): HitePart {
    const plaintext = openHiteResponse(this.#session, this.#requestCounter, this.#index, frame);
    const kind = hitePartKind(plaintext[0]);
    if (kind === undefined || (kind === 'head') !== (this.#index === 0))
      throw new HiteError('hite_frame_refused');
    this.#index += 1;
    this.#ended = kind === 'end';
    return { kind, payload: plaintext.subarray(1) };
  }
}
