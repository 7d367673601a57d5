import type { RequestHandler } from 'express';
import { randomHex } from './random-hex.ts';

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

/** 96 random bits as 24 hex digits. */
export const newRequestId = (): string => randomHex(12);

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
