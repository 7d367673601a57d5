import { randomBytes } from 'node:crypto';

const POOL_BYTES = 4096;

let pool = Buffer.alloc(0);
let at = 0;

/** Random bytes as hex digits, at most 4096; they are drawn in blocks because a draw costs more than an id. */
export function randomHex(bytes: number): string {
  if (at + bytes > pool.length) {
    pool = randomBytes(POOL_BYTES);
    at = 0;
  }
  at += bytes;
  return pool.toString('hex', at - bytes, at);
}
