import {
  FIN,
  headLength,
  IS_CONTROL,
  LONGEST_HEAD,
  MASKED,
  payloadLength,
} from '../calls/web-socket-frames.ts';
import type { Matcher } from './matcher.ts';
import { Redactor } from './redactor.ts';

/** Bytes of a control frame's payload (RFC 6455 section 5.5). */
const LONGEST_CONTROL = 125;
/** Frames that wait behind a message which does not go on: more are an attack on our memory. */
const MAX_WAITING_FRAMES = 1_000;

/** A frame's head that stands behind bytes of a message which still wait. */
interface WaitingHead {
  /** How many of the waiting bytes go before it. */
  after: number;
  head: Buffer;
}

/**
 * Takes a secret out of the messages of one direction of a WebSocket, across frames of a message; the frames stay as they are.
 * Control frames pass where they came, each searched by itself: a reason for closing is text as well. A server's frames are not masked (section 5.1), and no extension is ever agreed on, so
 * what is searched is what the caller reads.
 */
export class WebSocketRedactor {
  #message: Redactor;
  readonly #secrets: Matcher;
  /** The head of the next frame, as far as it has come. */
  #head = Buffer.alloc(0);
  /** Bytes of payload that the present frame still has. */
  #left = 0;
  /** Of the present frame, when it is a control frame. */
  #control: Redactor | undefined;
  #isFinal = false;
  #waiting = 0;
  #heads: WaitingHead[] = [];
  #out: Buffer[] = [];

  constructor(secrets: Matcher) {
    this.#secrets = secrets;
    this.#message = new Redactor(secrets);
  }

  /**
   * @returns What may go on now.
   * @throws RangeError for frames that no honest server sends.
   */
  push(chunk: Buffer): Buffer {
    let rest = chunk;
    while (rest.length > 0) rest = this.#left > 0 ? this.#payload(rest) : this.#frameHead(rest);
    const out = this.#out.length === 1 ? this.#out[0]! : Buffer.concat(this.#out);
    this.#out = [];
    return out;
  }

  /** Of the payload of the present frame. @returns What comes after it. */
  #payload(data: Buffer): Buffer {
    const part = data.subarray(0, this.#left);
    this.#left -= part.length;
    if (this.#control !== undefined)
      this.#pass(this.#left === 0 ? this.#control.end(part) : this.#control.push(part));
    else this.#search(part, this.#isFinal && this.#left === 0);
    return data.subarray(part.length);
  }

  #frameHead(data: Buffer): Buffer {
    const had = this.#head.length;
    const bytes = had === 0 ? data : Buffer.concat([this.#head, data.subarray(0, LONGEST_HEAD - had)]);
    const length = headLength(bytes);
    if (length === undefined || bytes.length < length) {
      this.#head = Buffer.from(bytes);
      return data.subarray(data.length);
    }
    this.#head = Buffer.alloc(0);
    this.#begin(bytes.subarray(0, length));
    return data.subarray(length - had);
  }

  #begin(head: Buffer): void {
    if ((head[1]! & MASKED) !== 0) throw new RangeError('A server may not mask its frames.');
    this.#left = payloadLength(head);
    const isControl = (head[0]! & IS_CONTROL) !== 0;
    this.#isFinal = (head[0]! & FIN) !== 0;
    if (isControl && (this.#left > LONGEST_CONTROL || !this.#isFinal))
      throw new RangeError('A control frame is short and whole.');
    this.#control = isControl ? new Redactor(this.#secrets) : undefined;
    this.#pass(head);
    const isEmptyEnd = !isControl && this.#isFinal && this.#left === 0;
    if (isEmptyEnd) this.#search(Buffer.alloc(0), true);
  }

  /** What is not searched keeps its place among what is. */
  #pass(bytes: Buffer): void {
    if (this.#waiting === 0) return void this.#out.push(bytes);
    if (this.#heads.length >= MAX_WAITING_FRAMES) throw new RangeError('Too many frames inside one message.');
    this.#heads.push({ after: this.#waiting, head: bytes });
  }

  /** @param isEnd Of the message; the next one is searched by itself. */
  #search(part: Buffer, isEnd: boolean): void {
    const clean = isEnd ? this.#message.end(part) : this.#message.push(part);
    this.#waiting += part.length - clean.length;
    let from = 0;
    while (this.#heads.length > 0 && this.#heads[0]!.after <= clean.length) {
      const { after, head } = this.#heads.shift()!;
      this.#out.push(clean.subarray(from, after), head);
      from = after;
    }
    for (const waiting of this.#heads) waiting.after -= clean.length;
    this.#out.push(clean.subarray(from));
    if (isEnd) this.#message = new Redactor(this.#secrets);
  }
}
