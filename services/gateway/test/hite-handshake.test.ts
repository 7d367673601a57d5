import { randomBytes } from 'node:crypto';
import { ProblemError } from '@zeq/service-kit';
import { readConfig } from '../src/config.ts';
import { WorkQueue } from '../src/hite/work-queue.ts';
import { call, type Rig, settings, startRig } from './kit/gateway.ts';
import { HITE_SECRET, HiteClient, shakeHands } from './kit/hite.ts';

describe('POST /api/hite/handshake', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await startRig({ env: { ZEQ_HITE_SECRET: HITE_SECRET, ZEQ_TRUSTED_PROXIES: '127.0.0.1' } });
  });
  afterEach(() => rig.stop());

  it('answers with a session of one hour', async () => {
    const before = Date.now();

    const reply = await shakeHands(rig.url);

    expect([reply.status, reply.json()]).toEqual([
      200,
      {
        sessionId: expect.stringMatching(/^[0-9a-f]{32}$/),
        serverNonce: expect.stringMatching(/^[0-9a-f]{64}$/),
        expiresAt: expect.any(String),
      },
    ]);
    const livesMs = Date.parse(String(reply.json().expiresAt)) - before;
    expect(livesMs).toBeGreaterThanOrEqual(3_600_000);
    expect(livesMs).toBeLessThan(3_660_000);
  });

  it('derives other keys for every session, even for one nonce', async () => {
    const nonce = randomBytes(32).toString('hex');
    const [one, other] = [await shakeHands(rig.url, nonce), await shakeHands(rig.url, nonce)];

    expect(one.json().sessionId).not.toBe(other.json().sessionId);
    expect(one.json().serverNonce).not.toBe(other.json().serverNonce);
  });

  it('is of no use to somebody with another secret', async () => {
    const stranger = await HiteClient.begin(rig.url, randomBytes(32).toString('hex'));

    const reply = await stranger.send(await stranger.seal({ path: '/health' }, 0));

    expect([reply.status, reply.headers['x-zeq-error']]).toEqual([400, 'hite_frame_refused']);
  });

  it.each([
    ['no body', undefined],
    ['no JSON', 'x'],
    ['no nonce', '{}'],
    ['a short nonce', `{"clientNonce":"${'0'.repeat(62)}"}`],
    ['a nonce that is not hex', `{"clientNonce":"${'g'.repeat(64)}"}`],
    ['more than a nonce', `{"clientNonce":"${'0'.repeat(64)}","x":1}`],
    ['a long body', `{"clientNonce":"${'0'.repeat(2_000)}"}`],
  ])('refuses %s', async (_name, body) => {
    const reply = await call(`${rig.url}/api/hite/handshake`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body }),
    });

    expect(Math.floor(reply.status / 100)).toBe(4);
    expect(reply.headers['x-zeq-error']).toBeDefined();
  });

  it('refuses an address that floods, and serves another one meanwhile', async () => {
    const from = (address: string) =>
      call(`${rig.url}/api/hite/handshake`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-forwarded-for': address },
        body: `{"clientNonce":"${randomBytes(32).toString('hex')}"}`,
      });

    const flood = Promise.all(Array.from({ length: 60 }, () => from('203.0.113.1')));
    const other = await from('203.0.113.2');
    const statuses = (await flood).map(({ status }) => status);

    expect(other.status).toBe(200);
    expect([
      statuses.filter((status) => status === 200),
      statuses.filter((status) => status === 429),
    ]).toEqual([Array(20).fill(200), Array(40).fill(429)]);
  });
});

describe('a gateway without ZEQ_HITE_SECRET', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.stop());

  it('says that the channel is off', async () => {
    const replies = [
      await shakeHands(rig.url),
      await call(`${rig.url}/api/hite/channel`, { method: 'POST', body: 'x' }),
    ];

    for (const reply of replies) expect(reply.json()).toMatchObject({ status: 503, code: 'hite_disabled' });
    expect((await call(`${rig.url}/health`)).json()).toMatchObject({ hite_enabled: false });
  });
});

describe('ZEQ_HITE_SECRET', () => {
  it.each([
    ['31 bytes', randomBytes(31).toString('hex')],
    ['a passphrase', 'correct horse battery staple correct horse'],
    ['one byte again and again', '00'.repeat(32)],
    ['a sample', 'your-secret-here-at-least-32-characters'],
  ])('stops the start: %s', (_name, secret) => {
    expect(() => readConfig({ ...settings(), ZEQ_HITE_SECRET: secret })).toThrow(/ZEQ_HITE_SECRET must be/);
  });

  it.each(['hex', 'base64', 'base64url'] as const)('is taken as %s', (encoding) => {
    const secret = randomBytes(32).toString(encoding);

    expect(readConfig({ ...settings(), ZEQ_HITE_SECRET: secret }).ZEQ_HITE_SECRET).toBe(secret);
  });
});

describe('WorkQueue', () => {
  it('runs one piece of work at a time, in order, and goes on after one that fails', async () => {
    const queue = new WorkQueue();
    const order: string[] = [];
    let running = 0;
    const work =
      (name: string, fails = false) =>
      () => {
        running += 1;
        expect(running).toBe(1);
        order.push(name);
        return new Promise<void>((resolve, reject) =>
          setImmediate(() => {
            running -= 1;
            if (fails) reject(new ProblemError('internal', name));
            else resolve();
          }),
        );
      };

    const all = await Promise.allSettled([
      queue.run(work('a')),
      queue.run(work('b', true)),
      queue.run(work('c')),
    ]);

    expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect([order, queue.size]).toEqual([['a', 'b', 'c'], 0]);
  });

  it('refuses what would wait behind too much, and takes work again afterwards', async () => {
    const queue = new WorkQueue();
    const { promise, resolve: finish } = Promise.withResolvers<void>();
    const first = queue.run(() => promise);
    const rest = Array.from({ length: 63 }, () => queue.run(async () => undefined));

    await expect(queue.run(async () => undefined)).rejects.toMatchObject({ code: 'overloaded' });
    finish();
    await Promise.all([first, ...rest]);
    await expect(queue.run(async () => 'ran')).resolves.toBe('ran');
  });
});
