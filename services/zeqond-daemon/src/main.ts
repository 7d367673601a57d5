import { join } from 'node:path';
import {
  buildLogger,
  buildMetrics,
  buildServer,
  listen,
  openLogOutput,
  runService,
  systemTime,
} from '@zeq/service-kit';
import { Gauge } from 'prom-client';
import { buildApp } from './app.ts';
import { readConfig } from './config.ts';
import { Daemon } from './daemon.ts';
import { Witness } from './witness.ts';

await runService('zeqond-daemon', async () => {
  const config = readConfig(process.env);
  const output = openLogOutput();
  const log = buildLogger('zeqond-daemon', config.LOG_LEVEL, output);
  const witness = await Witness.open(join(config.ZEQ_DATA_DIR, 'zeqond'), log);
  const daemon = new Daemon({
    engines: config.SYNC_URL,
    witness,
    time: systemTime,
    log,
    publicKey: config.ZEQ_SYNC_PUBLIC_KEY,
  });
  const metrics = buildMetrics('zeqond-daemon');
  new Gauge({
    name: 'zeq_chain_faults',
    help: 'Faults found in the chain; they stay until a person has looked',
    registers: [metrics],
    collect() {
      this.set(witness.faults.length);
    },
  });
  const server = buildServer(buildApp({ daemon, witness, metrics, log }));
  await listen(server, config.ZEQOND_PORT, config.ZEQ_BIND);
  log.info({ port: config.ZEQOND_PORT, engines: config.SYNC_URL.length }, 'listening');
  daemon.start();
  const stop = async () => {
    server.close();
    await daemon.stop();
    server.closeAllConnections();
    output.close();
  };
  return { log, stop };
});
