import {
  buildLogger,
  listen,
  openLogOutput,
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
  const { server, stop } = buildGateway({ config, feed, log, lines: output });
  feed.start();
  await listen(server, config.GATEWAY_PORT, config.ZEQ_BIND);
  log.info({ port: config.GATEWAY_PORT }, 'gateway is listening');
  return {
    log,
    stop: async () => {
      await stop();
      await feed.stop();
      output.close();
    },
  };
});
