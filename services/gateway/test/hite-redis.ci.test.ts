import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildLogger, openRedis, type RedisLink } from '@zeq/service-kit';
import { RedisSessions } from '../src/hite/redis-sessions.ts';
import { hiteSessionsContract, newSession, SECRET } from './hite-sessions.contract.ts';
import { type Rig, startRig } from './kit/gateway.ts';
import { HITE_SECRET, HiteClient, type RawReply, shakeHands } from './kit/hite.ts';

const url = process.env.TEST_REDIS_URL ?? '';
if (url === '') throw new Error('TEST_REDIS_URL is not set');

const log = buildLogger('test', 'silent');
const READY = { path: '/ready' };

async function open(): Promise<RedisLink> {
  const link = openRedis(url, log);
  if (!link.isUp) await once(link.client, 'ready');
  return link;
}

async function forgetSessions({ client }: RedisLink): Promise<void> {
  const keys = await client.keys('zeq:hite:*');
  if (keys.length > 0) await client.del(keys);
}

/** The store knows which run of Redis it speaks to only after it has asked. */
async function settle(sessions: RedisSessions): Promise<RedisSessions> {
  for (let tries = 0; tries < 200; tries += 1) {
    if ((await sessions.find('0'.repeat(32)).catch(() => 'away')) !== 'away') return sessions;
    await sleep(10);
  }
  throw new Error('Redis did not answer');
}

describe('sessions in Redis', () => {
  let link: RedisLink;
  beforeAll(async () => {
    link = await open();
    link.client.setMaxListeners(0); // every store of this test listens to the one connection
    await settle(new RedisSessions(link, SECRET, log));
  });
  beforeEach(() => forgetSessions(link));
  afterAll(() => link.close());

  /** Until it knows its run of Redis, a store refuses; the contract begins when the answer is there. */
  const build = (max?: number) => {
    const sessions = new RedisSessions(link, SECRET, log, max);
    const ready = settle(sessions);
    return {
      add: async (...args: Parameters<RedisSessions['add']>) => (await ready).add(...args),
      find: async (id: string) => (await ready).find(id),
      take: async (id: string, counter: number) => (await ready).take(id, counter),
    };
  };

  hiteSessionsContract('of one replica', build);

  it('are sealed: whoever reads Redis finds no key of a session', async () => {
    const session = await newSession();
    await build().add(session);

    const stored = (await link.client.getBuffer((await link.client.keys('zeq:hite:*:session:*'))[0]!))!;

    for (const key of [session.requestKey, session.responseKey]) {
      const bytes = key.export();
      for (const form of [
        bytes,
        Buffer.from(bytes.toString('hex')),
        Buffer.from(bytes.toString('base64url')),
      ])
        expect(stored.includes(form)).toBe(false);
    }
  });

  it('are unknown to a gateway with another secret', async () => {
    const session = await newSession();
    await build().add(session);

    const other = await settle(new RedisSessions(link, 'ab'.repeat(32), log));

    expect(await other.find(session.id)).toBeUndefined();
  });

  it('end by themselves', async () => {
    const session = await newSession();
    await build().add(session);

    const [key] = await link.client.keys('zeq:hite:*:session:*');
    const livesMs = await link.client.pttl(key!);

    expect(livesMs).toBeGreaterThan(3_590_000);
    expect(livesMs).toBeLessThanOrEqual(3_600_000);
  });

  it('of another run of Redis are not believed: it may have forgotten the newest counters', async () => {
    const session = await newSession();
    await build().add(session);
    const keys = await link.client.keys('zeq:hite:*');
    for (const key of keys) await link.client.rename(key, key.replace(/[0-9a-f]{40}/, 'f'.repeat(40)));

    expect(await (await settle(new RedisSessions(link, SECRET, log))).find(session.id)).toBeUndefined();
  });
});

describe('two gateways on one Redis', () => {
  const rigs: Rig[] = [];
  const links: RedisLink[] = [];
  let client: HiteClient;
  beforeAll(async () => {
    for (let i = 0; i < 2; i += 1) {
      const redis = await open();
      links.push(redis);
      rigs.push(await startRig({ env: { ZEQ_HITE_SECRET: HITE_SECRET }, redis }));
    }
  });
  beforeEach(async () => {
    await forgetSessions(links[0]!);
    await links[0]!.client.del(await handshakeWindows(links[0]!));
    client = await HiteClient.begin(rigs[0]!.url);
  });
  afterAll(async () => {
    for (const rig of rigs) await rig.stop();
    for (const link of links) await link.close();
  });

  it('serve each other’s sessions', async () => {
    const there = client.at(rigs[1]!.url);

    expect((await there.call(READY)).status).toBe(200);
  });

  it('refuse at one what was taken at the other, however close together', async () => {
    const there = client.at(rigs[1]!.url);
    const codes: string[][] = [];
    for (let counter = 0; counter < 30; counter += 1) {
      const frame = await client.seal(READY, counter);
      const both = await Promise.all([client.send(frame), there.send(frame)]);
      codes.push(both.map(codeOf).sort());
    }

    expect(codes).toEqual(Array(30).fill(['200', 'hite_replayed']));
  });

  it('keep one window of 1,024 together', async () => {
    const there = client.at(rigs[1]!.url);
    await client.send(await client.seal(READY, 5_000));

    const inside = await there.send(await client.seal(READY, 3_977));
    const behind = await there.send(await client.seal(READY, 3_976));

    expect([codeOf(inside), codeOf(behind)]).toEqual(['200', 'hite_replayed']);
  });

  it('refuse while Redis is away, say so, and go on with the session when it is back', async () => {
    const [link] = links as [RedisLink];
    await client.send(await client.seal(READY, 0));
    const frame = await client.seal(READY, 1);

    link.client.disconnect();
    const away = [await client.send(frame), await shakeHands(rigs[0]!.url)];
    await link.client.connect();
    for (
      let tries = 0;
      tries < 2_000 && codeOf(await client.send(new Uint8Array(40))) === 'hite_unavailable';
      tries += 1
    )
      await sleep(10);

    expect(away.map(({ status, headers }) => [status, headers['x-zeq-error']])).toEqual([
      [503, 'hite_unavailable'],
      [503, 'hite_unavailable'],
    ]);
    expect(codeOf(await client.send(frame))).toBe('200');
    expect(codeOf(await client.send(await client.seal(READY, 0)))).toBe('hite_replayed');
  });
});

const handshakeWindows = async ({ client }: RedisLink): Promise<string[]> => [
  'zeq:hite:none',
  ...(await client.keys('zeq:hite:address:*')),
];

function codeOf({ status, headers }: RawReply): string {
  return (headers['x-zeq-error'] as string | undefined) ?? String(status);
}
