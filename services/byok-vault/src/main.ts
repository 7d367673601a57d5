import { setTimeout as sleep } from 'node:timers/promises';
import { KeyRing, wipe } from '@zeq/crypto';
import { type EgressRules, egressRules } from '@zeq/egress';
import {
  AccessLog,
  buildLogger,
  buildServer,
  drainServer,
  type Logger,
  listen,
  openLogOutput,
  ProblemError,
  runService,
  ServiceTokenVerifier,
} from '@zeq/service-kit';
import { buildApp } from './app.ts';
import { type Config, readConfig } from './config.ts';
import { openDatabase } from './db/open.ts';
import type { UsageRetention } from './usage/housekeeping.ts';
import { buildVault } from './vault.ts';

/** Between attempts to reach a database that is not there yet (ms). */
const RETRY_MS = 500;
/** Requests that are under way at SIGTERM may take this long (ms). */
const DRAIN_MS = 5_000;

await runService('byok-vault', async () => {
  const config = readConfig(process.env);
  const output = openLogOutput();
  const log = buildLogger('byok-vault', config.LOG_LEVEL, output);
  const db = await openDatabase(config, log);
  const vault = buildVault({
    db,
    ring: ringOf(config),
    rules: rulesOf(config),
    retention: retentionOf(config),
    log,
    now: () => new Date(),
  });
  const app = buildApp({
    ...vault,
    verifier: new ServiceTokenVerifier('byok-vault', secretsOf(config)),
    accessLog: new AccessLog('byok-vault', output, log),
    log,
  });
  const server = buildServer(app);
  await listen(server, config.VAULT_PORT, config.ZEQ_BIND);
  log.info({ port: config.VAULT_PORT }, 'listening');
  await untilDatabase(() => vault.start(config), log);
  const stop = async () => {
    const endStreams = () => Promise.race([vault.stop(), sleep(DRAIN_MS)]);
    await drainServer(server, { drainMs: DRAIN_MS, endStreams });
    await db.close();
    output.close();
  };
  return { log, stop };
});

/** A database that is down at the start is waited for; meanwhile /ready says so. Everything else ends the start. */
async function untilDatabase(start: () => Promise<void>, log: Logger): Promise<void> {
  for (let told = false; ; told = true) {
    try {
      return await start();
    } catch (err) {
      if (!(err instanceof ProblemError) || err.code !== 'database_unavailable') throw err;
      if (!told) log.warn('the database cannot be reached; waiting for it');
      await sleep(RETRY_MS);
    }
  }
}

function ringOf({ ZEQ_FIELD_KEY, ZEQ_FIELD_KEY_PREV }: Config): KeyRing {
  const keys = [ZEQ_FIELD_KEY, ZEQ_FIELD_KEY_PREV]
    .filter((text) => text !== undefined)
    .map((text) => Buffer.from(text.trim(), 'hex'));
  const ring = new KeyRing(keys[0]!, keys[1]);
  wipe(...keys);
  return ring;
}

function rulesOf(config: Config): EgressRules {
  return egressRules({
    allow: config.ZEQ_EGRESS_ALLOW,
    ownHosts: config.DOMAIN === undefined ? [] : [config.DOMAIN],
    ownAddresses: config.ZEQ_OWN_ADDRESSES,
    ports: config.ZEQ_EGRESS_PORTS,
  });
}

function retentionOf(config: Config): UsageRetention {
  return {
    minuteDays: config.ZEQ_USAGE_MINUTE_DAYS,
    hourDays: config.ZEQ_USAGE_HOUR_DAYS,
    dayDays: config.ZEQ_USAGE_DAY_DAYS,
    auditDays: config.ZEQ_AUDIT_DAYS,
  };
}

function secretsOf(config: Config): string[] {
  const { ZEQ_INTERNAL_SECRET: now, ZEQ_INTERNAL_SECRET_PREV: before } = config;
  return before === undefined ? [now] : [now, before];
}
