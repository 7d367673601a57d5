import type { Server } from 'node:http';
import {
  AccessLog,
  buildMetrics,
  EndedSessions,
  type Feed,
  Identities,
  type LineSink,
  type Logger,
  openIdentifyClient,
  type RedisLink,
  redisGauge,
  ServiceTokenSigner,
  Sessions,
  type TimeSource,
} from '@zeq/service-kit';
import { Authentication } from './callers/authentication.ts';
import { PlatformKeys } from './callers/platform-keys.ts';
import { shareEndedSessions } from './callers/share-ended-sessions.ts';
import { WrongTokens } from './callers/wrong-tokens.ts';
import { type Config, placeOf, trustList } from './config.ts';
import { buildControlPlane, type LocalRoutes } from './control/control-plane.ts';
import { controlProxy } from './control/control-proxy.ts';
import { CorsPolicy } from './control/cors-policy.ts';
import { ForwardCalls } from './forward/forward-calls.ts';
import { Upgrades } from './forward/upgrades.ts';
import { buildFront } from './front.ts';
import { type HiteDeps, hiteRoutes } from './hite/hite.ts';
import { hiteOff } from './hite/off.ts';
import { ClientAddresses } from './limits/client-address.ts';
import { RateWindow } from './limits/rate-window.ts';
import { shareAddresses } from './limits/share-addresses.ts';
import { Link } from './link/link.ts';
import { gatewayMetrics } from './metrics.ts';
import { RequestGuard } from './request/request-guard.ts';
import { adminHealthRoutes } from './routes/admin-health.ts';
import { docsRoutes } from './routes/docs.ts';
import { healthRoutes } from './routes/health.ts';
import { pageRoutes } from './routes/page.ts';
import { sessionRoutes } from './routes/session.ts';
import { statusRoutes } from './routes/status.ts';
import { stopServer } from './stop-server.ts';

/** Machines that one address may create (design section 3). */
const MACHINES_PER_MINUTE = 10;
/** HITE sessions that one address may begin: each costs about 20 ms of a processor. */
const HANDSHAKES_PER_MINUTE = 20;
/** A call through `/test` may wait for its upstream as long as a forwarded one. */
/** Requests open at the sync engine: its event streams of ticks stay. */
const MAX_TICK_READERS = 10_000;
const FORWARDER_TIMEOUT_MS = 11 * 60_000;
const SERVICE_TIMEOUT_MS = 30_000;

export interface GatewayDeps {
  config: Config;
  /** Where replicas count addresses together; without it this one counts for itself. */
  redis?: RedisLink | undefined;
  feed: Feed;
  log: Logger;
  /** Where access lines go. */
  lines: LineSink;
  time?: TimeSource;
}

export interface Gateway {
  server: Server;
  /** Stops the server in order, then closes what leads to the other services. */
  stop(drainMs?: number): Promise<void>;
}

/** Puts the gateway together. It listens nowhere and has asked nobody anything yet. */
export function buildGateway({ config, redis, feed, log, lines, time }: GatewayDeps): Gateway {
  const signer = new ServiceTokenSigner('gateway', config.ZEQ_INTERNAL_SECRET);
  const vault = openIdentifyClient(config.VAULT_URL, signer);
  const forwarder = new Link(placeOf(config.FORWARDER_URL));
  const ended = new EndedSessions();
  const sessions = new Sessions(config.JWT_SECRET, config.JWT_SECRET_PREV, undefined, ended);
  const authentication = new Authentication({
    identities: new Identities({ identify: vault.identify, feed }),
    sessions,
    apiKeys: new PlatformKeys(config.ZEQ_API_KEYS),
    adminKeys: new PlatformKeys(config.ZEQ_ADMIN_KEYS),
    wrongTokens: new WrongTokens(config.RATE_LIMIT_RPM),
  });
  const perAddress = new RateWindow(config.RATE_LIMIT_RPM);
  const cors = new CorsPolicy(config.ALLOWED_ORIGINS, config.DOMAIN);
  const registry = buildMetrics('gateway');
  if (redis !== undefined) redisGauge(registry, redis);
  const handshakes = new RateWindow(HANDSHAKES_PER_MINUTE);
  const sharing = redis === undefined ? [] : shareOverReplicas(redis, log, { perAddress, handshakes, ended });
  const access = new AccessLog('gateway', lines, log);
  const metrics = gatewayMetrics(registry, access);
  const traceUpstream = config.ZEQ_TRACE_UPSTREAM === 'on';
  const shared = { authentication, signer, perAddress, cors, log, traceUpstream, ended: metrics.ended };
  const calls = new ForwardCalls({ ...shared, forwarder });
  metrics.watch(() => calls.inFlight);
  const addresses = new ClientAddresses(trustList(config.ZEQ_TRUSTED_PROXIES));
  const connect: HiteDeps['connect'] = (socket, address) => {
    addresses.assume(socket, address);
    server.emit('connection', socket);
  };
  const app = buildControlPlane({
    ...shared,
    ownLimits: {
      'POST /api/zeq/machines': {
        name: 'machines-per-address',
        window: new RateWindow(MACHINES_PER_MINUTE),
      },
      'POST /api/hite/handshake': { name: 'handshakes-per-address', window: handshakes },
    },
    local: {
      ...localRoutes(config, sessions, () => (feed.isFresh() ? [] : ['vault']), registry),
      ...hiteOf(config, { redis, connect, registry, log, ...(time && { time }) }),
    },
    proxies: proxiesTo(config, signer),
  });
  const places = { forwarder: placeOf(config.FORWARDER_URL), 'sync-engine': placeOf(config.SYNC_URL) };
  const upgrades = new Upgrades({ ...shared, places });
  const server = buildFront({
    app,
    calls,
    upgrades,
    guard: new RequestGuard(config.DOMAIN),
    addresses,
    ended: metrics.ended,
  });
  return {
    server,
    stop: async (drainMs) => {
      upgrades.closeAll();
      await stopServer(server, drainMs);
      calls.close();
      await Promise.all(sharing.map((each) => each.stop()));
      await vault.close();
    },
  };
}

interface Shared {
  perAddress: RateWindow;
  handshakes: RateWindow;
  ended: EndedSessions;
}

function shareOverReplicas(redis: RedisLink, log: Logger, { perAddress, handshakes, ended }: Shared) {
  return [
    shareAddresses(perAddress, redis, log),
    shareAddresses(handshakes, redis, log, 'zeq:hite:address:'),
    shareEndedSessions(ended, redis, log),
  ];
}

function localRoutes(
  config: Config,
  sessions: Sessions,
  notReady: () => string[],
  metrics: ReturnType<typeof buildMetrics>,
): LocalRoutes {
  return {
    ...healthRoutes({ metrics, notReady, hite: config.ZEQ_HITE_SECRET !== undefined }),
    ...docsRoutes(),
    ...pageRoutes(),
    ...statusRoutes(),
    ...sessionRoutes(sessions),
    ...adminHealthRoutes({
      'byok-vault': config.VAULT_URL,
      forwarder: config.FORWARDER_URL,
      'operator-engine': config.OPERATOR_URL,
      'sync-engine': config.SYNC_URL,
      'zeqond-daemon': config.ZEQOND_URL,
    }),
  };
}

function hiteOf(
  { ZEQ_HITE_SECRET: secret, RATE_LIMIT_RPM: refusedPerMinute }: Config,
  deps: Omit<HiteDeps, 'secret' | 'refusedPerMinute'>,
): LocalRoutes {
  return secret === undefined ? hiteOff() : hiteRoutes({ ...deps, secret, refusedPerMinute });
}

function proxiesTo(config: Config, signer: ServiceTokenSigner) {
  const to = (service: 'byok-vault' | 'operator-engine' | 'sync-engine' | 'zeqond-daemon', url: string) =>
    controlProxy({ service, url, signer, timeoutMs: SERVICE_TIMEOUT_MS });
  return {
    'byok-vault': to('byok-vault', config.VAULT_URL),
    'operator-engine': to('operator-engine', config.OPERATOR_URL),
    'sync-engine': controlProxy({
      service: 'sync-engine',
      url: config.SYNC_URL,
      signer,
      timeoutMs: SERVICE_TIMEOUT_MS,
      maxOpen: MAX_TICK_READERS,
    }),
    'zeqond-daemon': to('zeqond-daemon', config.ZEQOND_URL),
    forwarder: controlProxy({
      service: 'forwarder',
      url: config.FORWARDER_URL,
      signer,
      timeoutMs: FORWARDER_TIMEOUT_MS,
    }),
  };
}
