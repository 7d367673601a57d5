import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { ProblemError } from '@zeq/service-kit';

/** Bodies up to this many bytes are collected, so that head and body leave in one write. */
export const COLLECT_UP_TO = 64 * 1024;
/** How long a body that nobody wants any more is read and thrown away, so that its sender can read our answer (ms). */
const DISCARD_MS = 5_000;

const noop = () => undefined;

export interface UploadOptions {
  maxBytes: number;
  /** Silence of the caller that ends the upload (ms). */
  idleMs: number;
  /** Called before the first byte is read, for `100 Continue`. */
  onStart: () => void;
}

/**
 * A caller's body on its way, with backpressure. undici gets this and not the request itself, because it destroys the body
 * of a request that fails, and with the request the caller's connection would go before the answer. Nothing is read before
 * undici has a connection, so a body is whole for the next address.
 */
export class UploadBody extends Readable {
  bytes = 0;
  readonly #req: IncomingMessage;
  readonly #options: UploadOptions;
  #reading = false;
  #heard = false;
  #silentMs = 0;

  constructor(req: IncomingMessage, options: UploadOptions) {
    super({ highWaterMark: COLLECT_UP_TO });
    this.#req = req;
    this.#options = options;
  }

  override _read(): void {
    if (this.#reading) return void this.#req.resume();
    this.#reading = true;
    this.#options.onStart();
    this.#req.on('data', this.#onData).on('end', this.#onEnd);
  }

  override _destroy(err: Error | null, callback: (err: Error | null) => void): void {
    this.#req.off('data', this.#onData).off('end', this.#onEnd);
    callback(err);
  }

  /** @param elapsedMs Since the last tick. */
  tick(elapsedMs: number): void {
    const waiting = this.#reading && !this.readableEnded && !this.#req.complete && !this.#req.isPaused();
    this.#silentMs = this.#heard || !waiting ? 0 : this.#silentMs + elapsedMs;
    this.#heard = false;
    if (this.#silentMs >= this.#options.idleMs)
      this.destroy(new ProblemError('request_timeout', 'The body did not go on.'));
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#heard = true;
    this.bytes += chunk.length;
    if (this.bytes > this.#options.maxBytes) this.destroy(tooLarge(this.#options.maxBytes));
    else if (!this.push(chunk)) this.#req.pause();
  };

  readonly #onEnd = (): void => {
    this.push(null);
  };
}

export const tooLarge = (maxBytes: number): ProblemError =>
  new ProblemError('payload_too_large', `The body may have at most ${maxBytes} bytes.`);

/**
 * Collects a small body of known length. When the caller leaves, `done` is never called; that is noticed elsewhere.
 *
 * @param length Bytes; Node's parser lets through neither more nor fewer.
 */
export function collectBody(req: IncomingMessage, length: number, done: (body: Buffer) => void): void {
  let chunks: Buffer[] | undefined;
  let left = length;
  req.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left === 0) return done(chunks === undefined ? chunk : Buffer.concat([...chunks, chunk]));
    if (chunks === undefined) chunks = [chunk];
    else chunks.push(chunk);
  });
}

/**
 * Reads what is left of a body after its answer, for a while: closing at once could cost the caller the answer, and not
 * reading would block the connection for the next request.
 */
export function discardBody(req: IncomingMessage): void {
  if (req.complete || req.destroyed) return;
  const timer = setTimeout(() => req.socket.destroy(), DISCARD_MS).unref();
  const done = () => clearTimeout(timer);
  req.once('end', done).once('close', done).on('error', noop).resume();
}
