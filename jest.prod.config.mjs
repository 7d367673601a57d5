import { base } from './jest.config.mjs';

/** Tests of a mesh that runs in containers; `e2e-prod/run.sh` brings one up and says where it is (ZEQ_MESH_DIR). */
export default {
  ...base,
  testMatch: ['**/e2e-prod/test/**/*.prod.test.ts'],
  maxWorkers: 1,
  testTimeout: 300_000,
};
