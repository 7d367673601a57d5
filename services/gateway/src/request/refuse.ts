import type { ServerResponse } from 'node:http';
import type { ProblemCode } from '@zeq/contracts';
import type { Logger } from '@zeq/service-kit';
import { breakOff, safeError, sendProblem, toProblem } from '@zeq/service-kit';
import { setBaseHeaders } from '../control/base-headers.ts';
import type { Call } from './call.ts';

export interface RefuseOptions {
  retryAfter?: number | undefined;
  /** More raw pairs for the head. */
  extra?: readonly string[];
}

/** Answers a request of the lean path with a problem document. */
export function refuse(
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
}

/** The same for whatever was thrown; what was not expected is logged. */
export function refuseError(
  res: ServerResponse,
  call: Call,
  err: unknown,
  log: Logger,
  extra: readonly string[] = [],
): void {
  const { code, detail, retryAfter } = toProblem(err);
  if (code === 'internal') log.error({ err: safeError(err), request_id: call.id }, 'request failed');
  if (res.headersSent) breakOff(res);
  else refuse(res, call, code, detail, { retryAfter, extra });
}
