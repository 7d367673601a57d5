import { auditOf } from '../audit/audit.ts';
import { clockOf } from '../clock/clock.ts';
import { hiteTransport } from '../hite/hite-transport.ts';
import { adminOf } from '../resources/admin.ts';
import { apisOf, tokensOf } from '../resources/apis.ts';
import { healthOf } from '../resources/health.ts';
import { keysOf, machinesOf } from '../resources/machines.ts';
import { operatorsOf, sevenStepOf } from '../resources/operators.ts';
import { sessionOf } from '../resources/session.ts';
import { usageOf } from '../resources/usage.ts';
import { tescOf } from '../tesc/tesc.ts';
import { Core } from './core.ts';
import { forwarderOf } from './forward.ts';
import { parseSecret } from './secret-text.ts';
import { fetchTransport, parseBase, type Transport } from './transport.ts';
import { invalidArgument } from './zeq-error.ts';

export interface ClientOptions {
  /** The gateway, such as `https://mesh.example`. */
  url: string;
  /** A machine key (`zsm_…`), an app token (`zat_…`) or a session. */
  key?: string | undefined;
  /** `X-API-Key`: for making machines. */
  platformKey?: string | undefined;
  /** `X-Admin-Key`: for `admin`. */
  adminKey?: string | undefined;
  /** The machine's name in paths. Needed with an app token; the holder of a machine key may leave it to the mesh. */
  slug?: string | undefined;
  /** Every call travels in the HITE channel, or not at all. */
  hite?: { secret: string } | undefined;
  /** Milliseconds for a whole answer, or for the head of a forwarded one. Default: 30,000; 0: no limit. */
  timeoutMs?: number | undefined;
  /** Another `fetch`, for proxies and tests. */
  fetch?: typeof fetch | undefined;
}

export type ZeqClient = ReturnType<typeof createClient>;

const DEFAULT_TIMEOUT_MS = 30_000;
const MIN_HITE_SECRET_CHARS = 32;

/**
 * A client of one mesh, in Node and in browsers.
 *
 * @throws ZeqError `invalid_argument` for an option that cannot be used; it repeats no value.
 */
export function createClient(options: ClientOptions) {
  const core = new Core({
    transport: transportOf(options),
    credentials: credentialsOf(options),
    slug: options.slug,
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  });
  return {
    machines: machinesOf(core),
    keys: keysOf(core),
    apis: apisOf(core),
    tokens: tokensOf(core),
    usage: usageOf(core),
    audit: auditOf(core),
    session: sessionOf(core),
    operators: operatorsOf(core, options.key !== undefined),
    sevenStep: sevenStepOf(core),
    clock: clockOf(core),
    tesc: tescOf(core),
    health: healthOf(core),
    admin: adminOf(core),
    /** A call through the mesh; see `forwarderOf`. */
    call: forwarderOf(core),
    /** The machine's name in paths. */
    slug: () => core.slug(),
  };
}

function transportOf({ url, hite, fetch: given }: ClientOptions): Transport {
  // Called without a receiver: a browser's fetch refuses any other than its window.
  const direct = fetchTransport(parseBase(url), given ?? ((input, init) => fetch(input, init)));
  if (hite === undefined) return direct;
  if (hite.secret.length < MIN_HITE_SECRET_CHARS)
    throw invalidArgument(`hite.secret must have at least ${MIN_HITE_SECRET_CHARS} characters.`);
  return hiteTransport(hite.secret, direct);
}

function credentialsOf({ key, platformKey, adminKey }: ClientOptions) {
  const [own, platform, admin] = [
    parseSecret(key, 'key'),
    parseSecret(platformKey, 'platformKey'),
    parseSecret(adminKey, 'adminKey'),
  ];
  return {
    ...(own !== undefined && { key: own }),
    ...(platform !== undefined && { platform }),
    ...(admin !== undefined && { admin }),
  };
}
