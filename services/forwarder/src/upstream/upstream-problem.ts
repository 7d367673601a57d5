import { ProblemError } from '@zeq/service-kit';
import { errors } from 'undici';
import { DialError, type DialFailure, RESET } from './dial.ts';

const DIAL_DETAILS: Record<DialFailure, string> = {
  connect_failed: 'No connection to the upstream could be made.',
  connect_timeout: 'The upstream did not accept the connection in time.',
  tls_failed: 'The TLS handshake with the upstream failed.',
};

const TIMEOUTS = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);
const BREAKS = new Set([
  RESET,
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
]);
/** Texts under which undici says that what came was no answer to what was asked; everything else of that code is a break. */
const BAD_ANSWERS = new Set(['bad response', 'bad upgrade']);
const INVALID = new Set([
  'ERR_ASSERTION', // undici's answer to a status below 100
  'ERR_INVALID_CHAR',
  'ERR_INVALID_HTTP_TOKEN',
  'ERR_HTTP_INVALID_STATUS_CODE',
  'UND_ERR_HEADERS_OVERFLOW',
]);

/** The connection broke; that what came over it was no answer is another matter. */
export function isBroken(err: unknown): boolean {
  const { code = '', message = '' } = err as { code?: string; message?: string };
  if (BAD_ANSWERS.has(message)) return false;
  return BREAKS.has(code) || code === 'UND_ERR_SOCKET' || code.startsWith('ERR_SSL_');
}

/** What went wrong between us and the upstream, in the words of contracts. What nobody expected stays as it is. */
export function toUpstreamProblem(err: unknown): unknown {
  if (err instanceof ProblemError) return err;
  if (err instanceof DialError) return new ProblemError(err.code, DIAL_DETAILS[err.code], { cause: err });
  const { code = '', message = '' } = err as { code?: string; message?: string };
  if (TIMEOUTS.has(code))
    return new ProblemError('upstream_timeout', 'The upstream was silent for too long.', { cause: err });
  if (err instanceof errors.HTTPParserError || INVALID.has(code) || BAD_ANSWERS.has(message))
    return new ProblemError('upstream_invalid', 'The upstream sent an answer that is not valid HTTP.', {
      cause: err,
    });
  if (isBroken(err))
    return new ProblemError('upstream_reset', 'The upstream broke the connection.', { cause: err });
  return err;
}
