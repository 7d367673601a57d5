import { randomUUID } from 'node:crypto';
import {
  AccessLog,
  buildLogger,
  buildServer,
  listen,
  openLogOutput,
  runService,
  systemTime,
} from '@zeq/service-kit';
import { buildApp } from './app.ts';
import { readConfig } from './config.ts';
import { openAttesting } from './open-attesting.ts';
import { buildSyncEngine } from './sync-engine.ts';

import { upgradeRouter } from './upgrade.ts';

await runService('sync-engine', async () => {
  const config = readConfig(process.env);
  const output = openLogOutput();
  const log = buildLogger('sync-engine', config.LOG_LEVEL, output);
  const attesting = await openAttesting(config, log);
  const sync = buildSyncEngine({ time: systemTime, log, attesting, holder: randomUUID() });
  const accessLog = new AccessLog('sync-engine', output, log);
  const server = buildServer(buildApp({ ...sync, attesting, uid: config.ZEQ_SYNC_UID, accessLog, log }));
  server.on(
    'upgrade',
    upgradeRouter([[/^\/ws$/, (req, socket, head) => sync.sockets.accept(req, socket, head)]], log),
  );
  await listen(server, config.SYNC_PORT, config.ZEQ_BIND);
  log.info({ port: config.SYNC_PORT, tesc_enabled: attesting !== undefined }, 'listening');
  await sync.start();
  const stop = async () => {
    server.close();
    await sync.stop();
    server.closeAllConnections();
    await attesting?.store.close();
    output.close();
  };
  return { log, stop };
});
