import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/** A body up to this long is collected, so that head and body leave in one write (bytes). */
export const COLLECT_BYTES = 64 * 1024;

/** Hands over a small body once it is whole. A client that leaves before that hands over nothing. */
export function collectBody(req: IncomingMessage, use: (body: Buffer) => void): void {
  let first: Buffer | undefined;
  let rest: Buffer[] | undefined;
  req.on('data', (chunk: Buffer) => {
    if (first === undefined) first = chunk;
    else if (rest === undefined) rest = [first, chunk];
    else rest.push(chunk);
  });
  req.on('end', () => use(rest === undefined ? (first ?? Buffer.alloc(0)) : Buffer.concat(rest)));
}

/**
 * A large body as a stream of its own. The client's request is not handed on itself: whoever reads destroys what it reads
 * when an answer comes early, and that would take the client's socket, and the answer, with it.
 */
export class BodyStream extends Readable {
  readonly #req: IncomingMessage;

  constructor(req: IncomingMessage) {
    super();
    this.#req = req;
    req.on('data', (chunk: Buffer) => {
      if (!this.destroyed && !this.push(chunk)) req.pause();
    });
    req.on('end', () => this.push(null));
    req.on('close', () => {
      if (!req.complete) this.destroy(new Error('the client left before the end of its body'));
    });
  }

  override _read(): void {
    this.#req.resume();
  }
}
