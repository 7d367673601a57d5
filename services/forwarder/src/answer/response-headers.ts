import type { IncomingHttpHeaders } from 'node:http';
import { ORIGIN_WIDE_HEADERS } from '@zeq/contracts';
import { ProblemError } from '@zeq/service-kit';
import { canonicalName } from '../request/request-head.ts';

/**
 * Never handed on: hop-by-hop headers (RFC 9110 section 7.6.1), what speaks for our origin, and what only the mesh may say:
 * `X-Zeq-Error` on an answer means that the mesh made it.
 */
const DROPPED: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'proxy-authentication-info',
  'cdn-loop',
  'x-content-type-options', // ours is sent instead
]);
const ORIGIN_WIDE: ReadonlySet<string> = new Set(ORIGIN_WIDE_HEADERS);
const DROPPED_PREFIXES = ['x-zeq-', 'access-control-'] as const;

export interface ResponseHead {
  /** Raw pairs for `writeHead`. */
  headers: string[];
  /** Bytes, or undefined when the body ends otherwise. */
  contentLength: number | undefined;
  hasDate: boolean;
}

/**
 * The upstream's headers that may reach the caller.
 *
 * @param headers As undici parsed them: names in lower case, a list where one came more than once.
 * @param allowed Origin-wide headers that the API lets through.
 */
export function callerHeaders(headers: IncomingHttpHeaders, allowed: readonly string[]): ResponseHead {
  const head: ResponseHead = { headers: [], contentLength: undefined, hasDate: headers.date !== undefined };
  const hopNames = headers.connection === undefined ? undefined : hopNamesIn(headers.connection);
  for (const name in headers) {
    if (DROPPED.has(name) || isOursOnly(name, allowed) || hopNames?.includes(name)) continue;
    const value = headers[name]!;
    if (typeof value === 'string') head.headers.push(name, value);
    else for (const one of value) head.headers.push(name, one);
  }
  const length = headers['content-length'];
  if (length !== undefined) head.contentLength = Number(length);
  return head;
}

/**
 * We never say that we understand another transfer coding than `chunked`, so none may come (RFC 9112 section 7.4). Its header would
 * stay behind here, and the caller would get packed bytes as if they were the content, with nobody having looked into them.
 *
 * @throws ProblemError `upstream_invalid`
 */
export function requirePlainTransfer({ 'transfer-encoding': coding }: IncomingHttpHeaders): void {
  if (coding === undefined || String(coding).trim().toLowerCase() === 'chunked') return;
  throw new ProblemError('upstream_invalid', 'The upstream used a transfer coding that nobody asked for.');
}

const A = 97;
const X = 120;

/** `x_zeq_error` is read as `x-zeq-error` by some, so both are ours. */
function isOursOnly(name: string, allowed: readonly string[]): boolean {
  if (ORIGIN_WIDE.has(name)) return !allowed.includes(name);
  const first = name.charCodeAt(0);
  if (first !== X && first !== A) return false;
  const canonical = canonicalName(name);
  return DROPPED_PREFIXES.some((prefix) => canonical.startsWith(prefix));
}

/** `keep-alive` and `close`, the usual values, name no header that is still there; framing stays whatever is named. */
function hopNamesIn(connection: string | string[]): string[] | undefined {
  const text = String(connection).toLowerCase();
  if (text === 'keep-alive' || text === 'close') return undefined;
  const names = text.split(',').map((name) => name.trim());
  return names.filter((name) => name !== 'content-length');
}
