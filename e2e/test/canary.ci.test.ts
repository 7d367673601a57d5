import { canarySuite } from '../src/canary-suite.ts';
import { openPostgresSurface, openRedisSurface } from '../src/store-surfaces.ts';
import '../src/patience.ts';

canarySuite('on PostgreSQL and Redis', async () => {
  const [postgres, redis] = [await openPostgresSurface(), await openRedisSurface()];
  return {
    env: { DATABASE_URL: postgres.url, REDIS_URL: redis.url },
    surfaces: async (known) => [...(await postgres.surfaces(known)), ...(await redis.surfaces())],
    close: async () => {
      redis.close();
      await postgres.drop();
    },
  };
});
