/** What an answer is made of, in the order in which it comes. */
export interface AnswerSink {
  /** @param raw Header names and values in turn. @param length Bytes of the body; -1 when only its end will tell. */
  onHead(status: number, raw: string[], length: number): void;
  onData(chunk: Buffer): void;
  /** @param reusable Whether the connection may carry another call. */
  onEnd(reusable: boolean): void;
}

/** An answer that breaks the protocol, or breaks off. */
export class AnswerError extends Error {
  override name = 'AnswerError';
}

const HEAD = 0;
const COUNTED = 1;
const CHUNK_SIZE = 2;
const CHUNK_DATA = 3;
const CHUNK_END = 4;
const TRAILER = 5;
const UNTIL_CLOSE = 6;
const IDLE = 7;

const END_OF_HEAD = Buffer.from('\r\n\r\n');
const LF = 0x0a;
const CR = 0x0d;
/** Longest head, and longest line between chunks (bytes). */
const MAX_HEAD = 128 * 1024;
const MAX_LINE = 1024;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: |$)/;
const DIGITS = /^[0-9]{1,15}$/;
const CHUNK_LINE = /^([0-9A-Fa-f]{1,12})(?:[;\t ].*)?$/;
const EMPTY = Buffer.alloc(0);

/**
 * Reads HTTP/1.1 answers of one of our own services from a connection, one after the other (RFC 9112). It is strict: what two
 * readers could understand differently is refused, because the connection is used again.
 */
export class AnswerParser {
  readonly #sink: AnswerSink;
  #state = IDLE;
  #bodiless = false;
  #left = 0;
  #reusable = true;
  #rest: Buffer = EMPTY;

  constructor(sink: AnswerSink) {
    this.#sink = sink;
  }

  /** Prepares for the answer to a request of this method. */
  expect(method: string): void {
    this.#state = HEAD;
    this.#bodiless = method === 'HEAD';
    this.#reusable = true;
    this.#rest = EMPTY;
  }

  /** Whether anything of an answer is still to come. */
  get isWaiting(): boolean {
    return this.#state !== IDLE;
  }

  /** @throws AnswerError */
  feed(incoming: Buffer): void {
    let chunk = incoming;
    if (this.#rest.length > 0) {
      chunk = Buffer.concat([this.#rest, incoming]);
      this.#rest = EMPTY;
    }
    while (chunk.length > 0) {
      if (this.#state === IDLE) throw new AnswerError('bytes came that nobody asked for');
      const used = this.#step(chunk);
      if (used < 0) {
        this.#keep(chunk);
        return;
      }
      chunk = used === chunk.length ? EMPTY : chunk.subarray(used);
    }
  }

  /** The connection has ended. @throws AnswerError when that cuts an answer short. */
  close(): void {
    if (this.#state === UNTIL_CLOSE) this.#end();
    else if (this.#state !== IDLE) throw new AnswerError('the connection ended within an answer');
  }

  /** @returns How many bytes were used; -1 when more are needed first. */
  #step(chunk: Buffer): number {
    switch (this.#state) {
      case HEAD:
        return this.#head(chunk);
      case COUNTED:
      case CHUNK_DATA:
        return this.#body(chunk);
      case UNTIL_CLOSE:
        this.#sink.onData(chunk);
        return chunk.length;
      default:
        return this.#line(chunk);
    }
  }

  #head(chunk: Buffer): number {
    const end = chunk.indexOf(END_OF_HEAD);
    if (end < 0) return -1;
    const lines = chunk.toString('latin1', 0, end).split('\r\n');
    const first = STATUS_LINE.exec(lines[0]!);
    if (first === null) throw new AnswerError('not a status line');
    const status = Number(first[2]);
    if (status < 200) return this.#interim(status, end + 4);
    if (first[1] === '0') this.#reusable = false;
    this.#begin(status, rawHeaders(lines));
    return end + 4;
  }

  /** An interim answer says nothing that goes on; 101 was not asked for. */
  #interim(status: number, used: number): number {
    if (status === 101) throw new AnswerError('an upgrade that nobody asked for');
    return used;
  }

  #begin(status: number, raw: string[]): void {
    const { length, chunked, closes } = framingOf(raw);
    if (closes) this.#reusable = false;
    const bodiless = this.#bodiless || status === 204 || status === 304;
    this.#sink.onHead(status, raw, bodiless ? 0 : length);
    if (bodiless || length === 0) this.#end();
    else if (chunked) this.#state = CHUNK_SIZE;
    else if (length > 0) this.#count(length, COUNTED);
    else {
      this.#state = UNTIL_CLOSE;
      this.#reusable = false;
    }
  }

  #count(bytes: number, state: number): void {
    this.#left = bytes;
    this.#state = state;
  }

  #body(chunk: Buffer): number {
    const used = Math.min(this.#left, chunk.length);
    this.#left -= used;
    const counted = this.#state === COUNTED;
    if (this.#left === 0 && !counted) this.#state = CHUNK_END;
    this.#sink.onData(used === chunk.length ? chunk : chunk.subarray(0, used));
    if (this.#left === 0 && counted) this.#end();
    return used;
  }

  /** The lines between chunks, and the trailer, which ends here. */
  #line(chunk: Buffer): number {
    const lf = chunk.indexOf(LF);
    if (lf < 0) return -1;
    if (lf === 0 || chunk[lf - 1] !== CR) throw new AnswerError('a bare line feed');
    const line = chunk.toString('latin1', 0, lf - 1);
    if (this.#state === CHUNK_SIZE) this.#size(line);
    else if (this.#state === CHUNK_END) this.#endOfChunk(line);
    else if (line === '') this.#end();
    return lf + 1;
  }

  #size(line: string): void {
    const size = CHUNK_LINE.exec(line)?.[1];
    if (size === undefined) throw new AnswerError('not a chunk size');
    const bytes = Number.parseInt(size, 16);
    if (bytes === 0) this.#state = TRAILER;
    else this.#count(bytes, CHUNK_DATA);
  }

  #endOfChunk(line: string): void {
    if (line !== '') throw new AnswerError('a chunk longer than it said');
    this.#state = CHUNK_SIZE;
  }

  #end(): void {
    this.#state = IDLE;
    this.#sink.onEnd(this.#reusable);
  }

  #keep(chunk: Buffer): void {
    if (chunk.length > (this.#state === HEAD ? MAX_HEAD : MAX_LINE))
      throw new AnswerError('a head or line too long');
    this.#rest = chunk;
  }
}

function rawHeaders(lines: readonly string[]): string[] {
  const raw: string[] = [];
  for (let i = 1; i < lines.length; i += 1) {
    const line = lines[i]!;
    const colon = line.indexOf(':');
    if (colon < 1 || line.includes('\n')) throw new AnswerError('not a header line');
    raw.push(line.slice(0, colon), line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1).trimEnd());
  }
  return raw;
}

interface Framing {
  length: number;
  chunked: boolean;
  closes: boolean;
}

/** RFC 9112 section 6.3. Only names of these lengths are looked at. */
function framingOf(raw: readonly string[]): Framing {
  const framing: Framing = { length: -1, chunked: false, closes: false };
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    if (name.length !== 14 && name.length !== 17 && name.length !== 10) continue;
    const lower = name.toLowerCase();
    const value = raw[i + 1]!;
    if (lower === 'content-length') readLength(framing, value);
    else if (lower === 'transfer-encoding') readCoding(framing, value);
    else if (lower === 'connection' && /\bclose\b/i.test(value)) framing.closes = true;
  }
  if (framing.chunked && framing.length >= 0) throw new AnswerError('a length and chunks');
  return framing;
}

function readLength(framing: Framing, value: string): void {
  if (framing.length >= 0 || !DIGITS.test(value)) throw new AnswerError('not one length');
  framing.length = Number(value);
}

function readCoding(framing: Framing, value: string): void {
  if (framing.chunked || value.toLowerCase() !== 'chunked')
    throw new AnswerError('not a coding that is spoken here');
  framing.chunked = true;
}
