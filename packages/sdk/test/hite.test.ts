import { randomBytes } from 'node:crypto';
import { fetchTransport } from '../src/client/transport.ts';
import { hiteTransport } from '../src/hite/hite-transport.ts';
import { createClient, type ZeqError } from '../src/index.ts';
import { problem } from './kit/fake-mesh.ts';
import { type ChannelOptions, hiteChannel } from './kit/hite-channel.ts';

const SECRET = randomBytes(32).toString('hex');

const channel = (options: Partial<ChannelOptions> = {}) => hiteChannel({ secret: SECRET, ...options });

const clientOn = (mesh: { fetch: typeof fetch }) =>
  createClient({
    url: 'http://mesh.example',
    key: 'zsm_key',
    slug: 'alice',
    fetch: mesh.fetch,
    hite: { secret: SECRET },
  });

const codeOf = (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => undefined,
    (err: ZeqError) => err.code,
  );

describe('a client with a HITE secret', () => {
  it('sends everything inside the channel, key and all, and reads the answer as if it were a plain one', async () => {
    const mesh = channel();

    const response = await clientOn(mesh).call('openai', '/v1/x?y=1', { method: 'PUT', body: 'Hällo' });

    expect([response.status, response.headers.get('x-a'), await response.text()]).toEqual([
      201,
      '1',
      'one two',
    ]);
    expect(mesh.paths).toEqual(['/api/hite/handshake', '/api/hite/channel']);
    expect(mesh.seen[0]!.request).toEqual({
      method: 'PUT',
      path: '/api/zeq/apis/alice/openai/forward/v1/x?y=1',
      headers: { authorization: 'Bearer zsm_key' },
      body: Buffer.from('Hällo').toString('base64'),
    });
  });

  it('uses one session for calls that come together, and no counter twice', async () => {
    const mesh = channel();
    const client = clientOn(mesh);

    await Promise.all(Array.from({ length: 20 }, () => client.call('openai', '/')));

    expect(mesh.paths.filter((path) => path.endsWith('handshake'))).toHaveLength(1);
    expect(mesh.seen.map(({ counter }) => counter).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, i) => i),
    );
  });

  it('makes a new session when the mesh has forgotten the old one', async () => {
    const mesh = channel();
    const client = clientOn(mesh);
    await client.call('openai', '/');
    mesh.forget();

    expect((await client.call('openai', '/')).status).toBe(201);
    expect(new Set(mesh.seen.map(({ session }) => session)).size).toBe(2);
  });

  it('makes a new session a minute before the old one ends, and not sooner', async () => {
    const mesh = channel({ expiresInMs: 3_600_000 });
    let now = 0;
    const send = hiteTransport(SECRET, fetchTransport('http://mesh.example', mesh.fetch), () => now);
    const get = () => send({ method: 'GET', path: '/', headers: new Headers() });
    await get();
    now = 3_530_000;
    await get();
    expect(new Set(mesh.seen.map(({ session }) => session)).size).toBe(1);

    now = 3_541_000;
    await get();

    expect(new Set(mesh.seen.map(({ session }) => session)).size).toBe(2);
  });

  it('uses a session that is over at once for the one call it was made for', async () => {
    const mesh = channel({ expiresInMs: -5_000 });
    const client = clientOn(mesh);

    expect((await client.call('openai', '/')).status).toBe(201);
    expect(mesh.paths).toHaveLength(2);
  });

  it('ends a call that its caller gave up, and keeps the handshake for the others', async () => {
    const mesh = channel();
    const client = clientOn(mesh);
    const abort = new AbortController();
    const first = client.call('openai', '/', { signal: abort.signal });
    const second = client.call('openai', '/');
    abort.abort(new Error('the user left'));

    await expect(first).rejects.toThrow('the user left');
    expect((await second).status).toBe(201);
    expect(mesh.paths.filter((path) => path.endsWith('handshake'))).toHaveLength(1);
  });

  it('gives up when the mesh knows no session at all, instead of asking for ever', async () => {
    const mesh = channel();
    const forgetful: typeof fetch = async (input, init) => {
      const answer = await mesh.fetch(input, init);
      mesh.forget();
      return answer;
    };

    expect(await codeOf(clientOn({ fetch: forgetful }).call('openai', '/'))).toBe('hite_session_unknown');
    expect(mesh.paths.filter((path) => path.endsWith('handshake'))).toHaveLength(2);
  });

  it.each([1, 2, 3])('ends a body with an error when its last %i frames are missing', async (cutFrames) => {
    const response = await clientOn(channel({ cutFrames })).call('openai', '/');

    expect(await codeOf(response.text())).toBe('hite_truncated');
  });

  it('believes no answer of another secret', async () => {
    const mesh = channel({ secret: randomBytes(32).toString('hex') });

    await expect(clientOn(mesh).call('openai', '/')).rejects.toThrow();
    expect(mesh.seen).toEqual([]);
  });

  it.each([
    ['handshake', 503, 'hite_disabled'],
    ['channel', 409, 'hite_replayed'],
  ])('never sends a plain request after the %s was refused', async (where, status, code) => {
    const mesh = channel();
    const refusing: typeof fetch = (input, init) =>
      String(input).endsWith(where) ? Promise.resolve(problem(status, code, 'No.')) : mesh.fetch(input, init);
    const sent: string[] = [];
    const watched: typeof fetch = (input, init) => {
      sent.push(new URL(String(input)).pathname);
      return refusing(input, init);
    };

    expect(await codeOf(clientOn({ fetch: watched }).call('openai', '/'))).toBe(code);
    expect(sent.filter((path) => !path.startsWith('/api/hite/'))).toEqual([]);
  });
});
