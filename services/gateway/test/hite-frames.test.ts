import { randomBytes } from 'node:crypto';
import { HITE_MAX_REQUEST_BYTES } from '@zeq/contracts';
import fc from 'fast-check';
import { type Rig, startRig } from './kit/gateway.ts';
import { framesOf, HITE_SECRET, HiteClient, type Inner, type RawReply } from './kit/hite.ts';
import { owner } from './kit/people.ts';

const READY: Inner = { path: '/ready' };

describe('POST /api/hite/channel', () => {
  let rig: Rig;
  let client: HiteClient;
  beforeEach(async () => {
    rig = await startRig({ env: { ZEQ_HITE_SECRET: HITE_SECRET } });
    client = await HiteClient.begin(rig.url);
  });
  afterEach(() => rig.stop());

  it('refuses a frame after any change of a bit, and takes the true one afterwards', async () => {
    const frame = await client.seal(READY, client.nextCounter());

    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 8 * frame.length - 1 }), async (bit) => {
        const changed = Uint8Array.from(frame);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        expect(codeOf(await client.send(changed))).toBe('hite_frame_refused');
      }),
    );

    expect((await client.send(frame)).status).toBe(200);
  });

  it('refuses a frame that was cut, wherever', async () => {
    const frame = await client.seal(READY, client.nextCounter());

    await fc.assert(
      fc.asyncProperty(fc.nat({ max: frame.length - 1 }), async (length) => {
        expect(codeOf(await client.send(frame.subarray(0, length)))).toBe('hite_frame_refused');
      }),
      { numRuns: 30 },
    );
  });

  it('refuses a frame of another session, and an answer that is sent back as a request', async () => {
    const other = await HiteClient.begin(rig.url);
    const counter = client.nextCounter();
    const frame = await client.seal(READY, counter);

    const foreign = await other.send(frame);
    const answer = await client.send(frame);
    const reflected = await client.send(framesOf(answer.body)[0]!.subarray(4));

    expect([codeOf(foreign), codeOf(reflected)]).toEqual(['hite_frame_refused', 'hite_frame_refused']);
  });

  it('takes every frame once', async () => {
    const frame = await client.seal(READY, client.nextCounter());

    const replies = await Promise.all([1, 2, 3, 4].map(() => client.send(frame)));

    const codes = replies.map(codeOf).sort();
    expect(codes).toEqual(['200', 'hite_replayed', 'hite_replayed', 'hite_replayed']);
  });

  it('takes frames in any order within 1,024, and none behind', async () => {
    const order = (arrival: number[]) => arrival.map((counter) => client.seal(READY, counter));
    const far = await client.send(await client.seal(READY, 2_000));
    const inside = await Promise.all(
      await Promise.all(order([1_900, 977, 1_999, 1_500])).then((frames) =>
        frames.map((frame) => client.send(frame)),
      ),
    );
    const behind = await client.send(await client.seal(READY, 976));

    expect([far.status, ...inside.map(({ status }) => status)]).toEqual([200, 200, 200, 200, 200]);
    expect(codeOf(behind)).toBe('hite_replayed');
  });

  it.each([
    ['an unknown session', { 'x-hite-session': 'f'.repeat(32) }, 'hite_session_unknown'],
    ['no session', { 'x-hite-session': '' }, 'hite_session_unknown'],
    ['a session id with a wildcard', { 'x-hite-session': '*'.repeat(32) }, 'hite_session_unknown'],
    ['another content type', { 'content-type': 'application/json' }, 'unsupported_media_type'],
    ['a content coding', { 'content-encoding': 'gzip' }, 'unsupported_media_type'],
    ['too long a frame', { 'content-length': String(HITE_MAX_REQUEST_BYTES + 1) }, 'payload_too_large'],
  ])('refuses %s with a plain problem', async (_name, headers, code) => {
    const reply = await client.send(new Uint8Array(64), headers);

    expect(codeOf(reply)).toBe(code);
    expect(reply.headers['content-type']).toBe('application/problem+json');
  });

  it('takes a frame of the greatest length', async () => {
    const body = randomBytes(6_000_000);
    const { token } = rig.register.add(owner('alice'));
    const path = '/api/zeq/apis/alice/files/forward/upload';

    const reply = await client.call({
      method: 'PUT',
      path,
      headers: { authorization: `Bearer ${token}` },
      body,
    });

    expect(reply.status).toBe(200);
    expect(rig.forwarder.seen.at(-1)?.body === body.toString('latin1')).toBe(true);
  });

  it('listens no more to an address whose frames are refused again and again', async () => {
    await rig.stop();
    rig = await startRig({
      env: { ZEQ_HITE_SECRET: HITE_SECRET, RATE_LIMIT_RPM: '3', ZEQ_TRUSTED_PROXIES: '127.0.0.1' },
    });
    client = await HiteClient.begin(rig.url);
    const from = { 'x-forwarded-for': '203.0.113.1' };
    const guesses: Record<string, string>[] = [
      {},
      { 'x-hite-session': 'none' },
      { 'content-type': 'text/plain' },
      {},
    ];

    const codes: string[] = [];
    for (const guess of guesses)
      codes.push(codeOf(await client.send(randomBytes(100), { ...from, ...guess })));
    const other = await client.send(await client.seal(READY, 0), { 'x-forwarded-for': '203.0.113.2' });

    expect(codes).toEqual([
      'hite_frame_refused',
      'hite_session_unknown',
      'unsupported_media_type',
      'rate_limited',
    ]);
    expect(other.status).toBe(200);
  });

  describe('answers', () => {
    let counter: number;
    let frames: Buffer[];
    beforeEach(async () => {
      counter = client.nextCounter();
      const { body: wire } = await client.send(await client.seal({ path: '/api-docs/start.js' }, counter));
      frames = framesOf(wire);
    });

    const open = (some: Buffer[]) => client.open(counter, [Buffer.concat(some)]);

    it('in frames, the last of which says that it was all', async () => {
      expect(frames.length).toBeGreaterThanOrEqual(3);
      await expect(open(frames)).resolves.toMatchObject({ status: 200 });
    });

    it('so that a cut after any frame is seen, and at any byte', async () => {
      const wire = Buffer.concat(frames);
      for (let count = 0; count < frames.length; count += 1)
        await expect(open(frames.slice(0, count))).rejects.toMatchObject({ code: 'hite_truncated' });
      await fc.assert(
        fc.asyncProperty(fc.nat({ max: wire.length - 1 }), async (length) => {
          await expect(open([wire.subarray(0, length)])).rejects.toMatchObject({ code: 'hite_truncated' });
        }),
        { numRuns: 40 },
      );
    });

    it('so that a dropped, repeated or moved frame is seen', async () => {
      for (let at = 0; at < frames.length - 1; at += 1) {
        const [one, next] = [frames[at]!, frames[at + 1]!];
        const rest = frames.slice(at + 2);
        const before = frames.slice(0, at);
        for (const changed of [
          [...before, next, ...rest],
          [...before, one, one, next, ...rest],
          [...before, next, one, ...rest],
        ])
          await expect(open(changed)).rejects.toMatchObject({ code: 'hite_frame_refused' });
      }
    });

    it('so that no frame serves in the answer to another request', async () => {
      const other = client.nextCounter();
      const { body: wire } = await client.send(await client.seal({ path: '/api-docs/start.js' }, other));
      const foreign = framesOf(wire);

      for (let at = 0; at < frames.length; at += 1)
        await expect(open(frames.map((frame, i) => (i === at ? foreign[at]! : frame)))).rejects.toMatchObject(
          {
            code: 'hite_frame_refused',
          },
        );
    });
  });
});

/** The code of a refusal, or the status of what was let in. */
function codeOf({ status, headers }: RawReply): string {
  return (headers['x-zeq-error'] as string | undefined) ?? String(status);
}
