import { base } from './jest.config.mjs';

/** Tests that load the machine or kill processes amid a load: one after the other, with the same servers as `*.ci.test.ts`. */
export default { ...base, testMatch: ['**/test/**/*.load.test.ts'], maxWorkers: 1 };
