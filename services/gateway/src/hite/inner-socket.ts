import { Duplex } from 'node:stream';
import { AnswerParser } from '../link/answer-parser.ts';
import type { InnerRequest } from './inner-request.ts';
import type { SealedAnswer } from './sealed-answer.ts';

/**
 * A connection that exists only in this process, as the HTTP server sees it: one request comes in over it, and the answer that the
 * server writes is read and sealed, no faster than the client takes it. So a request in a frame goes the very road of a plain one.
 */
export class InnerSocket extends Duplex {
  readonly #request: Buffer[];
  readonly #answer: SealedAnswer;
  readonly #parser: AnswerParser;

  constructor({ method, bytes }: InnerRequest, answer: SealedAnswer) {
    super();
    this.#request = [...bytes];
    this.#answer = answer;
    this.#parser = new AnswerParser(answer);
    this.#parser.expect(method);
    this.on('finish', () => this.destroy());
  }

  /** What the server calls on a socket whose last bytes are on their way. */
  destroySoon(): void {
    this.end();
  }

  /** The request is all there is; like a client that waits, it does not close its side. */
  override _read(): void {
    const next = this.#request.shift();
    if (next !== undefined) this.push(next);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (err?: Error | null) => void): void {
    try {
      this.#parser.feed(chunk);
    } catch (err) {
      done(err as Error);
      return;
    }
    this.#answer.whenReady(done);
  }

  override _final(done: (err?: Error | null) => void): void {
    try {
      this.#parser.close();
      done();
    } catch (err) {
      done(err as Error);
    }
  }

  /** However it ends: an answer that is not whole by now never will be. */
  override _destroy(err: Error | null, done: (err?: Error | null) => void): void {
    this.#answer.breakOff();
    done(err);
  }
}
