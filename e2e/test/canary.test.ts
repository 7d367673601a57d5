import { canarySuite } from '../src/canary-suite.ts';
import '../src/patience.ts';

// The data folder, which the suite searches itself, holds everything: the embedded database, logs, secrets, sockets.
canarySuite('with nothing installed', async () => ({
  env: {},
  surfaces: async () => [],
  close: async () => undefined,
}));
