import { join } from 'node:path';
import {
  AccessLog,
  buildLogger,
  buildMetrics,
  buildServer,
  drainServer,
  listen,
  openLogOutput,
  runService,
} from '@zeq/service-kit';
import { buildApp } from './app.ts';
import { openIdentity } from './auth/open-identity.ts';
import { loadCatalogue } from './catalogue/catalogue.ts';
import { Prover } from './compute/proof.ts';
import { type Config, modelOptions, proofSecrets, readConfig } from './config.ts';
import { forgetRemovedMachines } from './forget-removed-machines.ts';
import { Recorder } from './recorder.ts';
import { openModel } from './seven-step/ask-model.ts';
import { openMongo } from './store/mongo.ts';
import { openNedb } from './store/nedb.ts';
import type { Stores } from './store/store.ts';

/** Requests that are under way at SIGTERM may take this long (ms). */
const DRAIN_MS = 10_000;
const CATALOGUE = new URL('../data/operators.json', import.meta.url);

await runService('operator-engine', async () => {
  const config = readConfig(process.env);
  const output = openLogOutput();
  const log = buildLogger('operator-engine', config.LOG_LEVEL, output);
  const model = modelOptions(config);
  const catalogue = loadCatalogue(CATALOGUE);
  const metrics = buildMetrics('operator-engine');
  const stores = await openStores(config);
  const identity = openIdentity(config, log);
  const recorder = new Recorder({ store: stores.computations, metrics, log, now: Date.now });
  forgetRemovedMachines(identity.feed, stores, log);
  const server = buildServer(
    buildApp({
      ...identity,
      catalogue,
      stores,
      recorder,
      metrics,
      log,
      askModel: model && openModel(model),
      prover: new Prover(proofSecrets(config)),
      accessLog: new AccessLog('operator-engine', output, log),
      now: Date.now,
      perMinute: config.RATE_LIMIT_RPM,
    }),
  );
  identity.feed.start();
  await listen(server, config.OPERATOR_PORT, config.ZEQ_BIND);
  log.info({ port: config.OPERATOR_PORT, operators: catalogue.operators.length }, 'listening');
  const stop = async () => {
    await drainServer(server, { drainMs: DRAIN_MS });
    await identity.close();
    await recorder.stop();
    await stores.close();
    output.close();
  };
  return { log, stop };
});

async function openStores({ MONGO_URL, ZEQ_DATA_DIR }: Config): Promise<Stores> {
  return MONGO_URL === undefined ? openNedb(join(ZEQ_DATA_DIR, 'operators')) : openMongo(MONGO_URL);
}
