import { base } from './jest.config.mjs';

/** Tests against real servers (PostgreSQL, Redis, nginx, Chromium); `.ci/run` installs and starts what they need. */
export default { ...base, testMatch: ['**/test/**/*.ci.test.ts'] };
