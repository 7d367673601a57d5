import type { ServerResponse } from 'node:http';
import { PROBLEMS, type ProblemCode, toProblemDocument } from '@zeq/contracts';
import type { ErrorRequestHandler } from 'express';
import type { z } from 'zod';
import { lingerAfter } from './linger.ts';
import { type Logger, safeError } from './logger.ts';

export interface ProblemOptions {
  /** Seconds for `Retry-After`. */
  retryAfter?: number;
  /** Further members of the problem document (RFC 9457, section 3.2): facts that help the caller to do better. */
  members?: Readonly<Record<string, string | number | null>>;
  cause?: unknown;
}

/** An expected failure: the caller can act on it. The detail is written for the caller and repeats no value they sent. */
export class ProblemError extends Error {
  override name = 'ProblemError';
  readonly code: ProblemCode;
  readonly retryAfter: number | undefined;
  readonly members: ProblemOptions['members'];

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfter = options.retryAfter;
    this.members = options.members;
  }
}

/** Parses what a caller sent. @throws ProblemError that names each wrong field and what is expected there. */
export function parseInput<T extends z.ZodType>(
  schema: T,
  value: unknown,
  code: ProblemCode = 'invalid_body',
): z.infer<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ProblemError(
    code,
    describeIssues(parsed.error, code === 'invalid_query' ? 'the query' : 'the body'),
  );
}

/** zod's issues as one line: field and expectation, never the value. @param whole What is named where it is no single field. */
export function describeIssues(error: z.ZodError, whole = 'the body'): string {
  const lines = error.issues.slice(0, 20).map((issue) => {
    const where = issue.path.length > 0 ? issue.path.map(String).join('.').slice(0, 200) : whole;
    return `${where}: ${issue.code === 'unrecognized_keys' ? 'has fields that are not known here' : issue.message}`;
  });
  return lines.join('; ');
}

/** Any error as the problem it is answered with; what is not expected becomes `internal`, with nothing of its text. */
export function toProblem(err: unknown): {
  code: ProblemCode;
  detail: string;
  retryAfter: number | undefined;
} {
  if (err instanceof ProblemError) return { code: err.code, detail: err.message, retryAfter: err.retryAfter };
  const type = (err as { type?: unknown } | null)?.type; // body-parser's errors
  if (type === 'entity.parse.failed') return known('invalid_json', 'The body is not valid JSON.');
  if (type === 'entity.too.large')
    return known('payload_too_large', 'The body is larger than this route accepts.');
  if (type === 'encoding.unsupported' || type === 'charset.unsupported')
    return known('unsupported_media_type', 'Send the body as UTF-8 JSON.');
  if (type === 'request.aborted' || type === 'request.size.invalid')
    return known('bad_request', 'The body does not have the stated length.');
  if (err instanceof URIError) return known('invalid_path', 'The path has a malformed percent escape.');
  return known('internal', 'Something went wrong on our side. The request id leads to the log.');
}

const known = (code: ProblemCode, detail: string) => ({ code, detail, retryAfter: undefined });

/** The last middleware of every express app: any error becomes application/problem+json (RFC 9457). */
export function problemHandler(log: Logger): ErrorRequestHandler {
  return function handleProblem(err, req, res, next) {
    if (res.headersSent) return next(err); // Express then cuts the connection
    const problem = toProblem(err);
    if (PROBLEMS[problem.code].status >= 500)
      log.error({ err: safeError(err), request_id: req.id }, 'request failed');
    const members = err instanceof ProblemError ? err.members : undefined;
    sendProblem(res, problem.code, problem.detail, req.id, problem.retryAfter, members);
  };
}

/** Writes a problem document on a bare response, also before the request's body has come. Only for answers whose head has not been sent. */
export function sendProblem(
  res: ServerResponse,
  code: ProblemCode,
  detail: string,
  requestId: string,
  retryAfter?: number,
  members?: ProblemOptions['members'],
): void {
  const { status } = PROBLEMS[code];
  const body = Buffer.from(JSON.stringify({ ...members, ...toProblemDocument(code, detail, requestId) }));
  res.statusCode = status;
  res.setHeader('Content-Type', 'application/problem+json');
  res.setHeader('Content-Length', body.length);
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('X-Zeq-Error', code);
  res.setHeader('X-Request-Id', requestId);
  const wait = retryAfter ?? (status === 503 ? 1 : undefined);
  if (wait !== undefined) res.setHeader('Retry-After', String(Math.max(1, Math.ceil(wait))));
  if (status === 401) res.setHeader('WWW-Authenticate', 'Bearer realm="zeq"');
  lingerAfter(res);
  res.end(body);
}
