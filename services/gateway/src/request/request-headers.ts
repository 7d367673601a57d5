import { PAGE_HEADER } from '@zeq/contracts';
import { TRACEPARENT_HEADER, TRACESTATE_HEADER } from '@zeq/service-kit';
import { sessionsInCookies } from '../callers/session-cookie.ts';
import { takeQueryTokens, tokenInHeader } from '../callers/tokens.ts';

const DROP = 1;
const HOST = 2;
const AUTHORIZATION = 3;
const API_KEY = 4;
const ADMIN_KEY = 5;
const LENGTH = 6;
const CODING = 7;
const EXPECT = 8;
const CONNECTION = 9;
const REQUEST_ID = 10;
const FORWARDED_FOR = 11;
const ORIGIN = 12;
const PREFLIGHT = 13;
const COOKIE = 14;
const PAGE = 15;
const FETCH_SITE = 16;
const TRACEPARENT = 17;
const TRACESTATE = 18;

/** What happens to a header by its lower-case name; any other goes on, unless it holds a token. */
const KINDS = new Map<string, number>([
  ['host', HOST],
  ['authorization', AUTHORIZATION],
  ['x-api-key', API_KEY],
  ['x-admin-key', ADMIN_KEY],
  ['content-length', LENGTH],
  ['transfer-encoding', CODING],
  ['expect', EXPECT],
  ['connection', CONNECTION],
  ['x-request-id', REQUEST_ID],
  ['x-forwarded-for', FORWARDED_FOR],
  ['origin', ORIGIN],
  ['access-control-request-method', PREFLIGHT],
  ['cookie', COOKIE],
  [PAGE_HEADER, PAGE],
  ['sec-fetch-site', FETCH_SITE],
  [TRACEPARENT_HEADER, TRACEPARENT],
  [TRACESTATE_HEADER, TRACESTATE],
  ...[
    'keep-alive',
    'proxy-connection',
    'proxy-authorization',
    'proxy-authenticate',
    'te',
    'trailer',
    'upgrade',
    'http2-settings',
    'forwarded',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-forwarded-port',
    'x-real-ip',
  ].map((name): [string, number] => [name, DROP]),
]);

/**
 * A request's headers, read once from Node's raw array: what identifies the caller, what frames the body, and what may go
 * on. Node's own `req.headers` joins or drops doubled lines, so it cannot be asked whether a line came twice.
 */
export class RequestHeaders {
  host = '';
  hosts = 0;
  /** The one mesh token, wherever it was. */
  token: string | undefined;
  /** Two different tokens, or two lines of one credential header. */
  ambiguous = false;
  /** `Authorization` and `X-API-Key` lines that hold no mesh token, in raw pairs: a session, a platform key, or not ours at all. */
  readonly strangers: string[] = [];
  bearer: string | undefined;
  /** Some `Authorization` was there, in whatever scheme. */
  authorized = false;
  apiKey: string | undefined;
  adminKey: string | undefined;
  /** Bytes of the body; -1 when not stated. */
  contentLength = -1;
  chunked = false;
  expect: string | undefined;
  requestId: string | undefined;
  forwardedFor = '';
  origin: string | undefined;
  /** A browser asks before a cross-origin request (Access-Control-Request-Method). */
  preflight = false;
  /** The page's session, from its cookie. It counts only where the page itself says that it sent the request. */
  cookieSession: string | undefined;
  /** The page's own header is there. */
  fromPage = false;
  /** As it came; more than one line is none. */
  traceparent: string | undefined;
  tracestate: string | undefined;
  /** What the browser says of the request's origin (Sec-Fetch-Site). */
  fetchSite: string | undefined;
  /** Raw pairs that may go on: end-to-end, without credentials, without anything only we may say. */
  readonly kept: string[] = [];
  /** The target without tokens. */
  target: string;

  constructor(raw: readonly string[], target: string) {
    const stripped = takeQueryTokens(target);
    this.target = stripped.target;
    for (const token of stripped.tokens) this.#found(token);
    let named = '';
    for (let i = 0; i < raw.length; i += 2) {
      const listed = this.#take(raw[i]!, raw[i + 1]!);
      if (listed !== '') named += `,${listed}`;
    }
    if (named !== '') this.#drop(named);
  }

  /** Whether the cookie is the only credential: then it is what the request lives by. */
  get livesByCookie(): boolean {
    return this.cookieSession !== undefined && this.token === undefined && !this.authorized;
  }

  /** A Bearer, or the page's cookie. What it is remains to be checked. */
  get session(): string | undefined {
    return this.fromPage && this.livesByCookie ? this.cookieSession : this.bearer;
  }

  /** @returns For a Connection header the names it lists, otherwise nothing. */
  #take(name: string, value: string): string {
    const lower = name.toLowerCase();
    switch (KINDS.get(lower)) {
      case undefined:
        this.#pass(lower, name, value);
        break;
      case HOST:
        this.hosts += 1;
        this.host = value;
        break;
      case AUTHORIZATION:
        this.#authorization(name, value);
        break;
      case API_KEY:
        this.#apiKey(name, value);
        break;
      case ADMIN_KEY:
        if (this.adminKey !== undefined) this.ambiguous = true;
        this.adminKey = value;
        break;
      case LENGTH:
        this.contentLength = Number(value);
        break;
      case CODING:
        this.chunked = true;
        break;
      case EXPECT:
        this.expect = value;
        break;
      case CONNECTION:
        return namesIn(value);
      case REQUEST_ID:
        this.requestId = value;
        break;
      case FORWARDED_FOR:
        this.forwardedFor = this.forwardedFor === '' ? value : `${this.forwardedFor},${value}`;
        break;
      case ORIGIN:
        this.origin = value;
        this.kept.push(name, value);
        break;
      case PREFLIGHT:
        this.preflight = true;
        this.kept.push(name, value);
        break;
      case COOKIE:
        this.#cookies(value);
        break;
      case PAGE:
        this.fromPage = true;
        break;
      case FETCH_SITE:
        this.fetchSite = value;
        this.kept.push(name, value);
        break;
      case TRACEPARENT:
        this.traceparent = this.traceparent === undefined ? value : '';
        break;
      case TRACESTATE:
        this.tracestate = this.tracestate === undefined ? value : `${this.tracestate},${value}`;
    }
    return '';
  }

  /** Names with an underscore are dropped as nginx does: what stands behind may fold them into names that are guarded. */
  #pass(lower: string, name: string, value: string): void {
    const token = tokenInHeader(value);
    if (token !== undefined) this.#found(token);
    else if (!lower.startsWith('x-zeq-') && !name.includes('_')) this.kept.push(name, value);
  }

  #authorization(name: string, value: string): void {
    if (this.authorized) this.ambiguous = true;
    this.authorized = true;
    const token = tokenInHeader(value);
    if (token !== undefined) this.#found(token);
    else this.strangers.push(name, value);
    if (token === undefined && /^bearer /i.test(value)) this.bearer = value.slice(7).trim();
  }

  #apiKey(name: string, value: string): void {
    if (this.apiKey !== undefined) this.ambiguous = true;
    this.apiKey = value;
    const token = tokenInHeader(value);
    if (token !== undefined) this.#found(token);
    else this.strangers.push(name, value);
  }

  #cookies(value: string): void {
    for (const session of sessionsInCookies(value)) {
      if (this.cookieSession !== undefined && this.cookieSession !== session) this.ambiguous = true;
      this.cookieSession = session;
    }
  }

  #found(token: string): void {
    if (this.token !== undefined && this.token !== token) this.ambiguous = true;
    this.token = token;
  }

  /** What Connection lists is for this hop only (RFC 9110 section 7.6.1). Credentials have been taken out by now. */
  #drop(named: string): void {
    const names = new Set(
      named
        .toLowerCase()
        .split(',')
        .map((name) => name.trim()),
    );
    const { kept } = this;
    for (let i = kept.length - 2; i >= 0; i -= 2) {
      if (names.has(kept[i]!.toLowerCase())) kept.splice(i, 2);
    }
  }
}

/** Nearly every Connection header says one of two words, and those name nothing. */
const namesIn = (value: string): string => (/^(?:keep-alive|close)$/i.test(value) ? '' : value);
