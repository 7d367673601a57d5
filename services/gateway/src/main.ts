import {
  buildLogger,
  listen,
  openLogOutput,
  openRedis,
  runService,
  ServiceTokenSigner,
  VaultFeed,
} from '@zeq/service-kit';
import { readConfig } from './config.ts';
import { buildGateway } from './gateway.ts';

await runService('gateway', async () => {
  const config = readConfig(process.env);
  const output = openLogOutput();
  const log = buildLogger('gateway', config.LOG_LEVEL, output);
  const signer = new ServiceTokenSigner('gateway', config.ZEQ_INTERNAL_SECRET);
  const feed = new VaultFeed({
    url: config.VAULT_URL,
    token: () => signer.sign('byok-vault', { kind: 'anonymous' }, 'anonymous'),
    log,
  });
  const redis = config.REDIS_URL === undefined ? undefined : openRedis(config.REDIS_URL, log);
  const { server, stop } = buildGateway({ config, redis, feed, log, lines: output });
  feed.start();
  await listen(server, config.GATEWAY_PORT, config.ZEQ_BIND);
  log.info({ port: config.GATEWAY_PORT }, 'gateway is listening');
  return {
    log,
    stop: async () => {
      await stop();
      await feed.stop();
      await redis?.close();
      output.close();
    },
  };
});
