import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jest } from '@jest/globals';
import { buildLogger, VaultFeed } from '@zeq/service-kit';
import { ANONYMOUS, PLATFORM, serviceToken } from './support/callers.ts';
import { createDatabase, openDatabaseAt } from './support/postgres.ts';
import { openSlowProxy } from './support/slow-proxy.ts';
import { openTestVault, type TestVault } from './support/test-vault.ts';

jest.setTimeout(60_000);

let proxy: Awaited<ReturnType<typeof openSlowProxy>>;
let vault: TestVault;
let server: Server;
let feed: VaultFeed;
let tearDown: () => Promise<void>;

beforeAll(async () => {
  const { url, drop } = await createDatabase();
  const address = new URL(url);
  proxy = await openSlowProxy({ host: address.hostname, port: Number(address.port || 5432) });
  address.host = proxy.url;
  const db = openDatabaseAt(address.href);
  vault = await openTestVault({ db });
  server = createServer(vault.app);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  feed = new VaultFeed({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: () => serviceToken(ANONYMOUS, 'forwarder'),
    log: buildLogger('test', 'silent'),
  });
  feed.start();
  tearDown = async () => {
    proxy.delayMs = 0;
    await feed.stop();
    await vault.close();
    server.close();
    await db.close();
    await proxy.close();
    await drop();
  };
});
afterAll(() => tearDown());

describe('a database that is two seconds slow', () => {
  it('keeps the feed fresh, so that leases stay good, and refuses in time what it cannot serve', async () => {
    await Promise.all(Array.from({ length: 10 }, () => vault.newMachine())); // every connection of the pool is there
    while (!feed.isFresh()) await new Promise((done) => setTimeout(done, 10));
    proxy.delayMs = 1_000;
    let stale = 0;
    const watching = setInterval(() => {
      if (!feed.isFresh()) stale += 1;
    }, 50);

    const create = async (i: number) => {
      const startedAt = performance.now();
      const { status } = await vault
        .as(PLATFORM)
        .post('/api/zeq/machines')
        .send({ slug: `slow-${i}` });
      return { status, ms: performance.now() - startedAt };
    };
    const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => create(i)));
    await new Promise((done) => setTimeout(done, 4_000));
    clearInterval(watching);

    const refused = answers.filter(({ status }) => status === 503);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 503]));
    const served = answers.filter(({ status }) => status === 201);
    expect(Math.max(...refused.map(({ ms }) => ms))).toBeLessThan(Math.min(...served.map(({ ms }) => ms)));
    expect(served.length).toBeGreaterThanOrEqual(8); // who got one of the ten connections does not lose it over another transaction
    expect(stale).toBe(0);
  });

  it('is itself again as soon as the database is', async () => {
    proxy.delayMs = 0;
    await new Promise((done) => setTimeout(done, 2_500));

    await vault.newMachine();

    expect(feed.isFresh()).toBe(true);
  });
});
