import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ProblemCode } from '@zeq/contracts';
import type { Logger } from '@zeq/service-kit';
import { safeError, sendProblem, toProblem } from '@zeq/service-kit';
import { setBaseHeaders } from '../control/base-headers.ts';
import type { Call } from './call.ts';

/** How long the rest of a refused body is still read, so that the answer is not lost in a reset (ms). */
const LINGER_MS = 1_000;
const SHORT_REST_BYTES = 64 * 1024;

export interface RefuseOptions {
  retryAfter?: number | undefined;
  /** More raw pairs for the head. */
  extra?: readonly string[];
}

/** Answers a request of the lean path with a problem document. */
export function refuse(
  req: IncomingMessage,
  res: ServerResponse,
  call: Call,
  code: ProblemCode,
  detail: string,
  { retryAfter, extra = [] }: RefuseOptions = {},
): void {
  call.outcome = code;
  setBaseHeaders(res);
  for (let i = 0; i < extra.length; i += 2) res.appendHeader(extra[i]!, extra[i + 1]!);
  // A client that waits for 100 Continue may never send its body: what it sends next could be taken for that body.
  if (call.headers.expect !== undefined) res.shouldKeepAlive = false;
  sendProblem(res, code, detail, call.id, retryAfter);
  lingerAfter(req, res);
}

/** The same for whatever was thrown; what was not expected is logged. */
export function refuseError(
  req: IncomingMessage,
  res: ServerResponse,
  call: Call,
  err: unknown,
  log: Logger,
  extra: readonly string[] = [],
): void {
  const { code, detail, retryAfter } = toProblem(err);
  if (code === 'internal') log.error({ err: safeError(err), request_id: call.id }, 'request failed');
  if (res.headersSent) res.destroy();
  else refuse(req, res, call, code, detail, { retryAfter, extra });
}

/**
 * After an answer that came before the body's end: reads on for a moment, so that the answer is not lost in a reset, then
 * closes. Only a short rest leaves a connection that goes on.
 */
export function lingerAfter(req: IncomingMessage, res: ServerResponse): void {
  if (req.complete) return;
  res.once('finish', () => {
    if (!req.complete) discardRest(req);
  });
}

function discardRest(req: IncomingMessage): void {
  let bytes = 0;
  const timer = setTimeout(() => req.socket.destroy(), LINGER_MS);
  req.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  req.once('end', () => {
    clearTimeout(timer);
    if (bytes > SHORT_REST_BYTES) req.socket.destroySoon();
  });
  req.resume();
}
