import { inspect } from 'node:util';
import type { ApiView } from '@zeq/contracts';
import { createClient, meshErrorOf, ZeqError } from '../src/index.ts';
import { fakeMesh, json, problem } from './kit/fake-mesh.ts';

const URL_OF_MESH = 'https://mesh.example';
const KEY = 'zsm_canary4f7Q2Lw9Xv4Rt0Yp6Nm3Bc8Df5Gj1';

const session = () => json({ machine: { slug: 'alice' }, scope: 'owner', expires_at: null });
const setup = (routes: Parameters<typeof fakeMesh>[0], options: object = {}) => {
  const mesh = fakeMesh({ 'GET /api/zeq/session': session, ...routes });
  return { ...mesh, client: createClient({ url: URL_OF_MESH, key: KEY, fetch: mesh.fetch, ...options }) };
};

/** The error of a promise that has to fail. */
async function failureOf(promise: Promise<unknown>): Promise<ZeqError> {
  const err = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(err).toBeInstanceOf(ZeqError);
  return err as ZeqError;
}

describe('createClient', () => {
  it('asks once whose key it has, and then calls under that slug', async () => {
    const { client, arrivals } = setup({ 'GET /api/zeq/apis/alice': () => json([]) });

    await Promise.all([client.apis.list(), client.apis.list()]);

    expect(arrivals.map(({ path }) => path).sort()).toEqual([
      '/api/zeq/apis/alice',
      '/api/zeq/apis/alice',
      '/api/zeq/session',
    ]);
    expect(new Set(arrivals.map(({ headers }) => headers.get('authorization')))).toEqual(
      new Set([`Bearer ${KEY}`]),
    );
  });

  it('asks nobody when the slug is given', async () => {
    const { client, arrivals } = setup({ 'GET /api/zeq/apis/bob/openai': () => json({}) }, { slug: 'bob' });

    await client.apis.get('openai');

    expect(arrivals.map(({ path }) => path)).toEqual(['/api/zeq/apis/bob/openai']);
  });

  it('shows no key to whoever inspects it', () => {
    const { client } = setup({}, { platformKey: KEY, adminKey: KEY, hite: { secret: KEY.repeat(2) } });

    expect(inspect(client, { depth: 20, showHidden: true })).not.toContain('canary');
    expect(JSON.stringify(client)).not.toContain('canary');
  });

  it.each([
    [
      'an address of another kind',
      { url: 'ftp://mesh.example' },
      'url must be an http:// or https:// address.',
    ],
    [
      'an address with a password',
      { url: 'https://a:canary@mesh.example' },
      'url must not hold a name or a password.',
    ],
    [
      'an address with a query',
      { url: 'https://mesh.example/?canary' },
      'url must not have a query or a fragment.',
    ],
    [
      'a key with a line end',
      { key: 'zsm_canary\r\nX: y' },
      'key must be visible ASCII characters without blanks.',
    ],
    ['a short HITE secret', { hite: { secret: 'canary' } }, 'hite.secret must have at least 32 characters.'],
  ])('refuses %s, and does not repeat it', (_what, options, detail) => {
    expect(() => createClient({ url: URL_OF_MESH, ...options })).toThrow(`${detail} (invalid_argument)`);
  });

  it('says which key is missing before anything is sent', async () => {
    const { fetch, arrivals } = fakeMesh({});
    const client = createClient({ url: URL_OF_MESH, fetch });

    expect((await failureOf(client.machines.create({ slug: 'a' }))).detail).toBe(
      'This call needs a key of the platform (platformKey).',
    );
    expect(arrivals).toEqual([]);
  });

  it('reads every page of a list', async () => {
    const api = (name: string) => ({ name }) as ApiView;
    const next = '/api/zeq/apis/alice?limit=1000&after=api_1';
    const { client } = setup({
      'GET /api/zeq/apis/alice': () => json([api('one')], { headers: { link: `<${next}>; rel="next"` } }),
      [`GET ${next}`]: () => json([api('two')]),
    });

    expect((await client.apis.list()).map(({ name }) => name)).toEqual(['one', 'two']);
  });

  it('rotates a credential and sends nothing else', async () => {
    const { client, arrivals } = setup({ 'PATCH /api/zeq/apis/alice/openai': () => json({}) });

    await client.apis.rotate('openai', { auth_header: 'Authorization: Bearer new' });

    expect(JSON.parse(arrivals.at(-1)!.body)).toEqual({ auth_header: 'Authorization: Bearer new' });
  });

  it('encodes names in paths', async () => {
    const { client, arrivals } = setup({});

    await failureOf(client.apis.get('a/../b?c'));

    expect(arrivals.at(-1)!.path).toBe('/api/zeq/apis/alice/a%2F..%2Fb%3Fc');
  });
});

describe('a refusal', () => {
  it('becomes one error with everything that the mesh said', async () => {
    const said = problem(429, 'rate_limited', 'Too many calls.', {
      headers: { 'retry-after': '7' },
      members: { correctionMs: 12 },
    });
    const { client } = setup({ 'GET /api/zeq/apis/alice/openai': () => said });

    const error = await failureOf(client.apis.get('openai'));

    expect({ ...error }).toEqual({
      name: 'ZeqError',
      status: 429,
      code: 'rate_limited',
      detail: 'Too many calls.',
      requestId: 'req-1',
      retryAfterSeconds: 7,
      members: { correctionMs: 12 },
    });
    expect(error.message).toBe('Too many calls. (rate_limited, 429)');
  });

  it('reads a Retry-After that is a date', async () => {
    const headers = { 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() };
    const { client } = setup({
      'GET /api/zeq/apis/alice/openai': () => problem(503, 'vault_unavailable', 'Away.', { headers }),
    });

    const { retryAfterSeconds } = await failureOf(client.apis.get('openai'));

    expect(Math.round(retryAfterSeconds! / 60)).toBe(60);
  });

  it.each([
    [
      'an error that is no problem document',
      () => new Response('<h1>Bad gateway</h1>', { status: 502 }),
      502,
    ],
    ['a success that is not JSON', () => new Response('<h1>Welcome</h1>'), 200],
  ])('says that %s came from something else', async (_what, answer, status) => {
    const { client } = setup({ 'GET /api/zeq/apis/alice/openai': answer });

    expect(await failureOf(client.apis.get('openai'))).toMatchObject({ code: 'answer_invalid', status });
  });

  it('tells a mesh that cannot be reached without what was sent to it', async () => {
    const client = createClient({ url: 'http://127.0.0.1:9', key: KEY });

    const error = await failureOf(client.session.show());

    expect(error.code).toBe('network_failed');
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('canary');
  });

  it('does not repeat a header that cannot be sent', async () => {
    const { client } = setup({});

    const error = await failureOf(
      client.call('openai', '/', { headers: { 'x-mine': 'canary\n' + 'x: canary' } }),
    );

    expect(error.code).toBe('invalid_argument');
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('canary');
  });
});

describe('time', () => {
  const never: typeof fetch = (_input, init) =>
    new Promise((_resolve, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal!.reason));
    });

  it('ends a call that takes too long', async () => {
    const client = createClient({ url: URL_OF_MESH, key: KEY, fetch: never, timeoutMs: 20 });

    expect(await failureOf(client.session.show())).toMatchObject({ code: 'timed_out', status: 0 });
  });

  it("ends a call with the caller's own reason", async () => {
    const client = createClient({ url: URL_OF_MESH, key: KEY, fetch: never });
    const abort = new AbortController();
    const shown = client.session.show({ signal: abort.signal });
    abort.abort(new Error('the user left'));

    await expect(shown).rejects.toThrow('the user left');
  });
});

describe('call', () => {
  it("hands over the upstream's answer whatever its status, with path, query and body as they were", async () => {
    const path = '/api/zeq/apis/alice/openai/forward/v1/chat%2Fx?a=1&b=%20';
    const { client, arrivals } = setup({ [`POST ${path}`]: () => new Response('teapot', { status: 418 }) });

    const response = await client.call('openai', '/v1/chat%2Fx?a=1&b=%20', {
      body: '{"a":1}',
      headers: { 'content-type': 'application/json' },
    });

    expect([response.status, await response.text()]).toEqual([418, 'teapot']);
    expect(await meshErrorOf(response)).toBeUndefined();
    expect(arrivals.at(-1)).toMatchObject({ method: 'POST', path, body: '{"a":1}' });
  });

  it('tells a refusal of the mesh from one of the upstream', async () => {
    const { client } = setup({
      'GET /api/zeq/apis/alice/openai/forward/': () => problem(403, 'out_of_scope', 'Not covered.'),
    });

    const refusal = await meshErrorOf(await client.call('openai', '/'));

    expect(refusal).toMatchObject({ code: 'out_of_scope', status: 403 });
  });

  it.each(['v1/models', '/../keys', '/v1/%2e%2E/x', '/a\\..\\b', '/./x', '/x/..?q'])(
    'sends nothing for the path %p, which would leave the API',
    async (path) => {
      const { client, arrivals } = setup({});

      expect((await failureOf(client.call('openai', path))).code).toBe('invalid_argument');
      expect(arrivals.filter(({ path: sent }) => sent.includes('forward'))).toEqual([]);
    },
  );
});
