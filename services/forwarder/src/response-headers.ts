import { ORIGIN_WIDE_HEADERS } from '@zeq/contracts';
import { canonicalName } from './request-head.ts';

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

/** undici's raw pairs: a Buffer each. */
type RawHeaders = readonly (Buffer | string)[];

/** The upstream's headers that may reach the caller. @param allowed Origin-wide headers that the API lets through. */
export function callerHeaders(raw: RawHeaders, allowed: readonly string[]): ResponseHead {
  const headers: string[] = [];
  let hopNames: string[] | undefined;
  let contentLength: number | undefined;
  let hasDate = false;
  for (let i = 0; i < raw.length; i += 2) {
    const name = text(raw[i]!);
    const canonical = canonicalName(name);
    const value = text(raw[i + 1]!);
    if (canonical === 'connection') hopNames = namesIn(value, hopNames);
    if (DROPPED.has(canonical) || isOursOnly(canonical, allowed)) continue;
    if (canonical === 'content-length') contentLength = Number(value);
    else if (canonical === 'date') hasDate = true;
    headers.push(name, value);
  }
  if (hopNames !== undefined) dropNamed(headers, hopNames);
  return { headers, contentLength, hasDate };
}

const text = (part: Buffer | string): string => (typeof part === 'string' ? part : part.toString('latin1'));

const A = 97;
const X = 120;

function isOursOnly(name: string, allowed: readonly string[]): boolean {
  if (ORIGIN_WIDE.has(name)) return !allowed.includes(name);
  const first = name.charCodeAt(0);
  return (first === X || first === A) && DROPPED_PREFIXES.some((prefix) => name.startsWith(prefix));
}

/** `keep-alive` and `close`, the usual values, name no header that is still there. */
function namesIn(value: string, known: string[] | undefined): string[] | undefined {
  const lower = value.toLowerCase();
  if (lower === 'keep-alive' || lower === 'close') return known;
  return [...(known ?? []), ...value.split(',').map((name) => canonicalName(name.trim()))];
}

function dropNamed(headers: string[], names: readonly string[]): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    const name = canonicalName(headers[i]!);
    if (names.includes(name) && name !== 'content-length') headers.splice(i, 2);
  }
}
