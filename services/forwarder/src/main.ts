import { join } from 'node:path';
import { LeaseRecipient } from '@zeq/crypto';
import { egressRules } from '@zeq/egress';
import {
  AccessLog,
  buildLogger,
  buildMetrics,
  drainServer,
  listen,
  listenLocally,
  openLogOutput,
  openRedis,
  redisGauge,
  runService,
  ServiceTokenSigner,
  ServiceTokenVerifier,
  VaultFeed,
} from '@zeq/service-kit';
import { buildForwarder } from './app.ts';
import { type Config, readConfig } from './config.ts';
import { buildDataPlane } from './data-plane.ts';
import { VaultClient } from './leases/vault-client.ts';
import { CallMetrics } from './metrics.ts';
import { buildSecureContext, systemConnect } from './upstream/dial.ts';
import { ownAddresses } from './upstream/own-addresses.ts';
import { NameResolver } from './upstream/resolve.ts';
import { Journals } from './usage/journals.ts';
import { ReportClient } from './usage/report-client.ts';
import { UsageRecorder } from './usage/usage-recorder.ts';

/** Open calls may go on this long after SIGTERM (ms). */
const DRAIN_MS = 25_000;

await runService('forwarder', async () => {
  const config = readConfig(process.env);
  const output = openLogOutput();
  const log = buildLogger('forwarder', config.LOG_LEVEL, output);
  const recipient = new LeaseRecipient();
  const signer = new ServiceTokenSigner('forwarder', config.ZEQ_INTERNAL_SECRET, {
    lease_key: recipient.publicKey,
  });
  const token = () => signer.sign('byok-vault', { kind: 'anonymous' }, 'anonymous');
  const vault = new VaultClient(config.VAULT_URL, token);
  const feed = new VaultFeed({ url: config.VAULT_URL, token, log });
  const resolver = new NameResolver({ servers: config.ZEQ_DNS_SERVERS });
  const redis = config.REDIS_URL === undefined ? undefined : openRedis(config.REDIS_URL, log);
  const reports = new ReportClient(config.VAULT_URL, token);
  const instance = recipient.publicKey.slice(0, 40);
  const journals = new Journals({
    folder: join(config.ZEQ_DATA_DIR, 'forwarder'),
    instance,
    sink: reports,
    log,
  });
  const usage = new UsageRecorder({ sink: reports, instance, journal: journals.own, log });
  const plane = buildDataPlane({
    vault,
    feed,
    recipient,
    rules: rulesOf(config),
    resolver,
    secureContext: buildSecureContext(),
    connect: systemConnect,
    maxCalls: config.ZEQ_MAX_CALLS,
    canRecord: (open) => usage.hasRoom(open),
    redis,
    log,
  });
  const metrics = new CallMetrics();
  const registry = buildMetrics('forwarder');
  metrics.register(registry, {
    liveCalls: () => plane.live.size,
    pools: () => plane.pools.size,
    connections: () => plane.pools.connections,
    leases: () => plane.leases.size,
    usage,
    circuitChanges: () => plane.circuits.changes,
    circuitsHeld: () => plane.circuits.held,
  });
  if (redis !== undefined) redisGauge(registry, redis);
  const deps = {
    ...plane,
    verifier: new ServiceTokenVerifier('forwarder', secretsOf(config)),
    metrics,
    usage,
    registry,
    accessLog: new AccessLog('forwarder', output, log),
    log,
    notReady: () => (feed.isFresh() ? [] : ['byok-vault']),
  };
  const servers = [buildForwarder(deps)];
  await listen(servers[0]!, config.FORWARDER_PORT, config.ZEQ_BIND);
  if (config.FORWARDER_SOCKET !== undefined) {
    const local = buildForwarder(deps);
    await listenLocally(local, config.FORWARDER_SOCKET);
    servers.push(local);
  }
  feed.start();
  usage.start();
  journals.start();
  log.info({ port: config.FORWARDER_PORT }, 'listening');
  const stop = async () => {
    // both servers take calls for the same plane: the time of the open ones runs from when neither takes more
    const { promise: drained, resolve } = Promise.withResolvers<void>();
    let open = servers.length;
    const endStreams = () => {
      open -= 1;
      if (open === 0) resolve(plane.live.drain(DRAIN_MS));
      return drained;
    };
    await Promise.all(servers.map((server) => drainServer(server, { drainMs: DRAIN_MS, endStreams })));
    await plane.close(); // a connection that was just accepted could bring a call until its server had closed
    await usage.stop();
    await journals.stop();
    await reports.close();
    await feed.stop();
    await vault.close();
    await redis?.close();
    output.close();
  };
  return { log, stop };
});

function rulesOf(config: Config) {
  return egressRules({
    allow: config.ZEQ_EGRESS_ALLOW,
    ownHosts: config.DOMAIN === undefined ? [] : [config.DOMAIN],
    ownAddresses: [...ownAddresses(), ...config.ZEQ_OWN_ADDRESSES],
    ports: config.ZEQ_EGRESS_PORTS,
  });
}

function secretsOf(config: Config): string[] {
  const { ZEQ_INTERNAL_SECRET: now, ZEQ_INTERNAL_SECRET_PREV: before } = config;
  return before === undefined ? [now] : [now, before];
}
