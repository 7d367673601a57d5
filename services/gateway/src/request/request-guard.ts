import type { ProblemCode } from '@zeq/contracts';
import type { RequestHeaders } from './request-headers.ts';

export interface Refusal {
  code: ProblemCode;
  detail: string;
}

export interface GuardedRequest {
  method: string;
  /** As it came. */
  target: string;
  /** `1.1` */
  httpVersion: string;
  /** Length of Node's raw header array: names and values. */
  rawLength: number;
  headers: RequestHeaders;
}

/** As nginx's buffers, which stand in front in production (characters). */
const MAX_TARGET_CHARS = 8192;
/** Node silently leaves out the lines behind its own limit of 2000, so ours comes first. */
const MAX_HEADER_LINES = 200;
/** Nothing longer is a length: numbers behind it are not exact (bytes). */
const MAX_LENGTH = Number.MAX_SAFE_INTEGER;
const NOT_FOR_US = new Set(['TRACE', 'TRACK', 'CONNECT']);
const UNUSABLE_TARGET = /[^\x21-\x7e]|#/;
const HOST =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9.])?|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?$/;
const LOCAL_NAMES = ['localhost', '127.0.0.1', '[::1]', 'gateway'];

/**
 * Refuses requests that lie about themselves, before anybody believes a word of them. Both roads, the lean one and
 * Express, begin here, so neither can be reached around it.
 */
export class RequestGuard {
  readonly #hosts: ReadonlySet<string> | undefined;
  /** The host that was found good last: nearly always the next one, too. */
  #goodHost = '';

  /** @param domain The name that is served. Undefined (development): any. */
  constructor(domain?: string) {
    this.#hosts = domain === undefined ? undefined : new Set([domain.toLowerCase(), ...LOCAL_NAMES]);
  }

  refuse(request: GuardedRequest): Refusal | undefined {
    return (
      refuseRequestLine(request) ??
      this.#refuseHost(request) ??
      refuseHeaders(request) ??
      refuseForgery(request)
    );
  }

  #refuseHost({ httpVersion, headers: { host, hosts } }: GuardedRequest): Refusal | undefined {
    if (hosts === 1 && host === this.#goodHost) return undefined;
    if (hosts === 0 && httpVersion === '1.0') return undefined;
    const port = HOST.exec(host)?.[1] ?? '0';
    if (hosts !== 1 || !HOST.test(host) || Number(port) > 65535)
      return refusal('bad_request', 'The request needs exactly one valid Host.');
    const name = host.replace(/:\d+$/, '').toLowerCase();
    if (this.#hosts !== undefined && !this.#hosts.has(name))
      return refusal('misdirected', 'This host is not served here.');
    this.#goodHost = host;
    return undefined;
  }
}

function refuseRequestLine({ method, target, httpVersion }: GuardedRequest): Refusal | undefined {
  if (httpVersion !== '1.1' && httpVersion !== '1.0')
    return refusal('bad_request', 'This HTTP version is not spoken here.');
  if (NOT_FOR_US.has(method)) return refusal('method_not_allowed', 'This method is not allowed here.');
  if (target.length > MAX_TARGET_CHARS) return refusal('uri_too_long', 'The request target is too long.');
  if (target.charCodeAt(0) !== 0x2f || UNUSABLE_TARGET.test(target))
    return refusal('bad_request', 'The request target must be a path.');
  return undefined;
}

function refuseHeaders({ headers, rawLength }: GuardedRequest): Refusal | undefined {
  if (rawLength > 2 * MAX_HEADER_LINES)
    return refusal('headers_too_large', 'There are too many header lines.');
  if (headers.ambiguous)
    return refusal('ambiguous_credentials', 'Send one credential: more than one was found in this request.');
  if (!(headers.contentLength <= MAX_LENGTH))
    return refusal('payload_too_large', 'The stated length is too large.');
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue')
    return refusal('expectation_failed', 'Only 100-continue can be expected.');
  return undefined;
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * A browser adds the session cookie without being asked. A request that lives by it therefore has to show that the page sent it:
 * by a header that no form and no foreign script can add, and by what the browser says of its origin. A safe request without
 * that header goes on, but as nobody's.
 */
function refuseForgery({ method, headers }: GuardedRequest): Refusal | undefined {
  if (!headers.livesByCookie || (!headers.fromPage && SAFE.has(method))) return undefined;
  if (headers.fromPage && isSameOrigin(method, headers)) return undefined;
  return refusal('csrf_refused', 'This request did not come from the page of this mesh.');
}

/** Sec-Fetch-Site where the browser sends it; otherwise Origin, which is missing only on safe requests. */
function isSameOrigin(method: string, { fetchSite, origin, host }: RequestHeaders): boolean {
  if (fetchSite !== undefined) return fetchSite === 'same-origin';
  if (origin === undefined) return SAFE.has(method);
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}

/** A malformed escape; or one that hides a dot, a slash, a backslash, a percent sign, a semicolon or a control character. */
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})|%(?:2[EeFf5]|5[Cc]|3[Bb]|[01][0-9A-Fa-f]|7[Ff])/;
const DOT_SEGMENT = /(?:^|\/)\.{1,2}(?:\/|$)/;

/**
 * The rules for a path of the control plane, where one path must mean one thing to every reader. A forwarded path is judged
 * by the forwarder's egress rules instead.
 */
export function refuseControlPath(target: string): Refusal | undefined {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  if (BAD_ESCAPE.test(path) || DOT_SEGMENT.test(path) || /\/\/|[\\;]/.test(path))
    return refusal(
      'invalid_path',
      'The path has dot segments, empty segments or escapes that are not accepted.',
    );
  return undefined;
}

/** The handshake of RFC 6455 section 4.1, or a refusal; nothing else is ever upgraded. */
export function refuseUpgrade(
  method: string,
  { contentLength, chunked }: RequestHeaders,
  version: string | undefined,
  key: string | undefined,
): Refusal | undefined {
  if (method !== 'GET' || contentLength > 0 || chunked)
    return refusal('bad_request', 'A WebSocket begins with a GET without a body.');
  if (version !== '13' || !/^[A-Za-z0-9+/]{22}==$/.test(key ?? ''))
    return refusal('bad_request', 'A WebSocket needs version 13 and a 16-byte key.');
  return undefined;
}

const refusal = (code: ProblemCode, detail: string): Refusal => ({ code, detail });
