import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AccessLog,
  buildLogger,
  buildServer,
  type Logger,
  listen,
  openLogOutput,
  ProblemError,
  runService,
  ServiceTokenSigner,
  ServiceTokenVerifier,
  safeError,
  systemTime,
} from '@zeq/service-kit';
import { buildApp } from './app.ts';
import { closeLogAt } from './audit-watch.ts';
import { type Config, readConfig } from './config.ts';
import { openAttesting } from './open-attesting.ts';
import { buildSyncEngine } from './sync-engine.ts';

import { TESC_SOCKET_PATH, TescSockets } from './tesc/socket.ts';
import { upgradeRouter } from './upgrade.ts';
import { waitingApp } from './waiting-app.ts';

/** Between attempts to reach a database that is not there yet. */
const RETRY_MS = 500;
/** For the head of the audit log: within the Zeqond in which it was asked for. */
const AUDIT_TIMEOUT_MS = 500;

await runService('sync-engine', async () => {
  const config = readConfig(process.env);
  const output = openLogOutput();
  const log = buildLogger('sync-engine', config.LOG_LEVEL, output);
  let app = waitingApp(log);
  const server = buildServer((req, res) => app(req, res));
  await listen(server, config.SYNC_PORT, config.ZEQ_BIND);
  const attesting = await untilDatabase(() => openAttesting(config, systemTime, log), log);
  const signer = new ServiceTokenSigner('sync-engine', config.ZEQ_INTERNAL_SECRET);
  const token = () => signer.sign('byok-vault', { kind: 'anonymous' }, 'anonymous');
  const closeLog = closeLogAt(config.VAULT_URL, token, AUDIT_TIMEOUT_MS);
  const sync = buildSyncEngine({ time: systemTime, log, attesting, holder: randomUUID(), closeLog });
  const verifier = new ServiceTokenVerifier('sync-engine', secretsOf(config));
  const channels = new TescSockets({ tesc: attesting?.tesc, verifier, log });
  const accessLog = new AccessLog('sync-engine', output, log);
  const tesc = attesting?.tesc;
  app = buildApp({ ...sync, attesting, tesc, verifier, uid: config.ZEQ_SYNC_UID, accessLog, log });
  server.on(
    'upgrade',
    upgradeRouter(
      [
        [/^\/ws$/, (req, socket, head) => sync.sockets.accept(req, socket, head)],
        [TESC_SOCKET_PATH, (req, socket, head, path) => channels.accept(req, socket, head, path)],
      ],
      log,
    ),
  );
  log.info({ port: config.SYNC_PORT, tesc_enabled: attesting !== undefined }, 'listening');
  await sync.start();
  const stop = async () => {
    server.close();
    await sync.stop();
    channels.close();
    server.closeAllConnections();
    await attesting?.close();
    output.close();
  };
  return { log, stop };
});

/** A database that is down at the start is waited for. Everything else ends the start. */
async function untilDatabase<T>(open: () => Promise<T>, log: Logger): Promise<T> {
  for (let told = false; ; told = true) {
    try {
      return await open();
    } catch (err) {
      if (!(err instanceof ProblemError) || err.code !== 'database_unavailable') throw err;
      if (!told) log.warn({ err: safeError(err) }, 'the database cannot be reached; waiting for it');
      await sleep(RETRY_MS);
    }
  }
}

function secretsOf({ ZEQ_INTERNAL_SECRET: now, ZEQ_INTERNAL_SECRET_PREV: before }: Config): string[] {
  return before === undefined ? [now] : [now, before];
}
