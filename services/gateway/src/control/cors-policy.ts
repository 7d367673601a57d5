import type { CorsOptions } from 'cors';

const EXPOSED = [
  'X-Request-Id',
  'X-Zeq-Request-Id',
  'X-Zeq-Error',
  'Server-Timing',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'X-Zeq-Landauer-Energy',
  'X-Zeq-Landauer-Suns-Required',
  'X-Zeq-Landauer-Bits',
];
const PREFLIGHT_SECONDS = 600;

/** Who may call from a browser: the origins that were named, by exact comparison, and nobody else. */
export class CorsPolicy {
  readonly #origins: ReadonlySet<string>;
  readonly #any: boolean;
  readonly #ownNames: ReadonlySet<string>;

  /** @param origins ALLOWED_ORIGINS; `*` (not in production) lets everybody in. @param domain The mesh's own name. */
  constructor(origins: readonly string[], domain?: string) {
    this.#ownNames = new Set([...(domain === undefined ? [] : [domain]), 'localhost', '127.0.0.1', '[::1]']);
    this.#origins = new Set(origins);
    this.#any = this.#origins.has('*');
  }

  allows(origin: string): boolean {
    return this.#any || this.#origins.has(origin);
  }

  /**
   * Whether a WebSocket may come from a page. Browsers ask nobody before they open one, so this is the only check; programs
   * send no Origin. The mesh's own page is let in under the name it was asked by, if that name is ours.
   */
  allowsSocket(origin: string | undefined, host: string): boolean {
    if (origin === undefined || this.allows(origin)) return true;
    if (!URL.canParse(origin)) return false;
    const { host: from, hostname } = new URL(origin);
    return from === host.toLowerCase() && this.#ownNames.has(hostname);
  }

  /** For the cors middleware. No cookies are used, so no credentials are granted. */
  options(): CorsOptions {
    return {
      origin: (origin, grant) => grant(null, origin !== undefined && this.allows(origin) ? origin : false),
      exposedHeaders: EXPOSED,
      maxAge: PREFLIGHT_SECONDS,
    };
  }

  /** The same grant as raw pairs; empty when there is none. */
  grant(origin: string | undefined): readonly string[] {
    if (origin === undefined) return NONE;
    if (!this.allows(origin)) return VARY;
    return [
      'Access-Control-Allow-Origin',
      origin,
      'Access-Control-Expose-Headers',
      EXPOSED.join(','),
      ...VARY,
    ];
  }
}

const NONE: readonly string[] = [];
const VARY: readonly string[] = ['Vary', 'Origin'];
