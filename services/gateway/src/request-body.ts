import type { IncomingMessage } from 'node:http';

/** A body up to this long is collected, so that head and body leave in one write (bytes). */
export const COLLECT_BYTES = 64 * 1024;

const EMPTY = Buffer.alloc(0);

/** Hands over a small body once it is whole. A client that leaves before that hands over nothing. */
export function collectBody(req: IncomingMessage, use: (body: Buffer) => void): void {
  let first: Buffer | undefined;
  let rest: Buffer[] | undefined;
  req.on('data', (chunk: Buffer) => {
    if (first === undefined) first = chunk;
    else if (rest === undefined) rest = [first, chunk];
    else rest.push(chunk);
  });
  req.on('end', () => use(rest === undefined ? (first ?? EMPTY) : Buffer.concat(rest)));
}
