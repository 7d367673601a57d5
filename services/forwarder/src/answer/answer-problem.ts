import type { ServerResponse } from 'node:http';
import { PROBLEMS, type ProblemCode } from '@zeq/contracts';
import { breakOff, type Logger, ProblemError, safeError, sendProblem, toProblem } from '@zeq/service-kit';
import { RateLimited } from '../limits/limits.ts';

/**
 * Answers with a problem document, or breaks off an answer whose head has gone.
 *
 * @param mustClose The caller still waits for `100 Continue`: whether its body follows is open, so the connection ends here.
 * @returns The code, for the log.
 */
export function answerProblem(
  res: ServerResponse,
  err: unknown,
  requestId: string,
  log: Logger,
  mustClose = false,
): ProblemCode {
  const { code, detail, retryAfter } = toProblem(err);
  if (code === 'internal') log.error({ err: safeError(err), request_id: requestId }, 'a call failed');
  else if (PROBLEMS[code].status >= 500)
    log.debug({ code, cause: causeOf(err), request_id: requestId }, 'call');
  if (res.headersSent || res.destroyed) breakOff(res);
  else {
    if (err instanceof RateLimited)
      for (const [name, value] of Object.entries(err.fields)) res.setHeader(name, value);
    if (mustClose && code !== 'internal') res.setHeader('Connection', 'close');
    res.sendDate = true;
    sendProblem(res, code, detail, requestId, retryAfter);
  }
  return code;
}

/** The code of what lies behind, at most: its text may hold what an upstream wrote. */
function causeOf(err: unknown): string | undefined {
  let cause = err instanceof ProblemError ? err.cause : undefined;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
