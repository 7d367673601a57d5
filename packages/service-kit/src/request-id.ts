import { randomBytes } from 'node:crypto';
import type { RequestHandler } from 'express';

declare global {
  namespace Express {
    interface Request {
      /** Names this request in logs and problem documents. */
      id: string;
    }
  }
}

export const REQUEST_ID_HEADER = 'x-request-id';

/** A caller's own id is kept when it is harmless text, so that a call can be followed through the mesh. */
const USABLE = /^[A-Za-z0-9._-]{8,64}$/;

let pool = Buffer.alloc(0);
let at = 0;

/** 96 random bits as 24 hex digits; the randomness is drawn in blocks because a draw costs more than the id. */
export function newRequestId(): string {
  if (at + 12 > pool.length) {
    pool = randomBytes(12 * 256);
    at = 0;
  }
  at += 12;
  return pool.toString('hex', at - 12, at);
}

/** The id of a request: the caller's if it is usable, a new one otherwise. */
export const requestIdOf = (header: string | string[] | undefined): string =>
  typeof header === 'string' && USABLE.test(header) ? header : newRequestId();

/** Gives every request its id and states it in the answer. */
export function requestId(): RequestHandler {
  return function assignRequestId(req, res, next) {
    req.id = requestIdOf(req.headers[REQUEST_ID_HEADER]);
    res.setHeader('X-Request-Id', req.id);
    next();
  };
}
