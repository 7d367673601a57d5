import { createHash, randomBytes } from 'node:crypto';
import { createClient, type ZeqClient } from '../../packages/sdk/src/index.ts';
import { type ByteUpstream, openByteUpstream } from '../src/byte-upstream.ts';
import { openTestMesh, type TestMesh } from '../src/test-mesh.ts';
import { until } from '../src/until.ts';
import '../src/patience.ts';

const KEY = `canary-${randomBytes(24).toString('hex')}`;
const SECRET = randomBytes(32).toString('hex');

let upstream: ByteUpstream;
let mesh: TestMesh;
let client: ZeqClient;
/** Everything that left the client and came back to it, as whoever is on the line sees it. */
const onTheLine: Buffer[] = [];
const paths: string[] = [];

beforeAll(async () => {
  upstream = await openByteUpstream({ header: 'x-bytes-key', value: KEY });
  mesh = await openTestMesh([`127.0.0.1:${upstream.port}`], { ZEQ_HITE_SECRET: SECRET });
  const { slug, api_key: key } = mesh.owner;
  client = createClient({ url: mesh.mesh.gateway, key, slug, hite: { secret: SECRET }, fetch: listening });
  await client.apis.add({ name: 'bytes', base_url: upstream.origin, auth_header: `x-bytes-key: ${KEY}` });
});

afterAll(async () => {
  await mesh?.stop();
  await upstream?.stop();
});

const listening: typeof fetch = async (input, init) => {
  const request = new Request(input, init);
  paths.push(new URL(request.url).pathname);
  onTheLine.push(
    Buffer.from(JSON.stringify([...request.headers])),
    Buffer.from(await request.clone().arrayBuffer()),
  );
  const answer = await fetch(request);
  onTheLine.push(Buffer.from(JSON.stringify([...answer.headers])));
  return answer;
};

describe('the whole mesh inside the HITE channel', () => {
  it('registers, lists and forwards, and shows nothing of it on the line', async () => {
    const body = randomBytes(1_000_000);

    const names = (await client.apis.list()).map(({ name }) => name);
    const answer = await client.call('bytes', '/hash', { method: 'PUT', body });

    expect(names).toContain('bytes');
    expect(await answer.json()).toEqual({
      bytes: body.length,
      sha256: createHash('sha256').update(body).digest('hex'),
    });
    expect([...new Set(paths)].sort()).toEqual(['/api/hite/channel', '/api/hite/handshake']);
    const seen = Buffer.concat(onTheLine);
    for (const secret of [KEY, mesh.owner.api_key, body.subarray(0, 64), 'sha256', '/forward/'])
      expect(seen.includes(secret)).toBe(false);
  });

  it('brings a long body whole', async () => {
    const answer = await client.call('bytes', '/bytes/5000000');

    expect((await answer.arrayBuffer()).byteLength).toBe(5_000_000);
  });

  it('brings each event when it happens, and lets the upstream see that the caller left', async () => {
    const leaving = new AbortController();
    const answer = await client.call('bytes', '/events', { signal: leaving.signal });
    const reader = answer.body!.getReader();

    for (const event of ['data: 0\n\n', 'data: 1\n\n']) {
      upstream.gate.release();
      expect(Buffer.from((await reader.read()).value!).toString()).toBe(event);
    }
    leaving.abort();

    await until(() => upstream.arrivals.some(({ url, aborted }) => url === '/events' && aborted));
  });

  it('breaks off visibly when the upstream does', async () => {
    const answer = await client.call('bytes', '/broken');

    expect(answer.status).toBe(200);
    await expect(answer.arrayBuffer()).rejects.toThrow();
  });
});
