import { type Caller, ROUTES } from '@zeq/contracts';
import { newId } from '@zeq/crypto';
import { ServiceTokenSigner } from '@zeq/service-kit';
import { SECRET } from './fake-vault.ts';
import { BEARER, Rig, SLUG } from './rig.ts';
import { Upstream } from './upstream.ts';

let rig: Rig;
let upstream: Upstream;
let id: string;

beforeAll(async () => {
  [rig, upstream] = await Promise.all([Rig.start(), new Upstream().open()]);
  id = rig.register({ base_url: upstream.url, name: 'echo' });
});

afterAll(() => Promise.all([rig.stop(), upstream.close()]));

beforeEach(() => {
  upstream.seen.length = 0;
});

const codeOf = (res: Response) => [res.status, res.headers.get('x-zeq-error')];

/** What is tested before it is saved. */
const draft = () => ({ base_url: upstream.url, auth_header: `Authorization: ${BEARER.value}` });

/** Every route of the table that ends in a socket to an upstream, as a request. */
const doors = ROUTES.filter((route) => route.service === 'forwarder').map((route) => ({
  name: `${route.method} ${route.path}`,
  audience: route.audience,
  reachesUpstream: route.reachesUpstream,
  send: (slug: string, api: string, token: string | undefined) =>
    fetch(
      `http://127.0.0.1:${rig.port}${route.path.replace(':slug', slug).replace(':id', api).replace('*', 'x')}`,
      {
        method: route.method === 'ANY' ? 'POST' : route.method,
        headers: {
          'content-type': 'application/json',
          ...(token !== undefined && { 'x-zeq-service': token }),
        },
        body: JSON.stringify({ path: '/x', ...(route.path.includes(':id') ? {} : { api: draft() }) }),
      },
    ),
}));

describe.each(doors)('$name', ({ send, audience, reachesUpstream }) => {
  const signer = (secret: string, iss: 'gateway' | 'sync-engine' = 'gateway') =>
    new ServiceTokenSigner(iss, secret);
  const callers = (): Record<string, Caller> => ({
    anonymous: { kind: 'anonymous' },
    platform: { kind: 'platform' },
    operator: { kind: 'operator' },
    reader: { ...rig.owner, scope: 'read' },
    forwarder: { ...rig.owner, scope: 'forward' },
    app: rig.app([id]),
    owner: rig.owner,
  });
  const allowed = audience === 'owner' ? ['owner'] : ['owner', 'forwarder', 'app'];

  it('is known as a way to an upstream', () => {
    expect(reachesUpstream).toBe(true);
  });

  it.each(['anonymous', 'platform', 'operator', 'reader', 'forwarder', 'app', 'owner'])(
    'lets %s through or not, by the one table of access',
    async (kind) => {
      const res = await send(SLUG, id, rig.token(callers()[kind]));

      const passes = allowed.includes(kind);
      expect(res.status === 200).toBe(passes);
      if (!passes) expect(['unauthorized', 'forbidden']).toContain(res.headers.get('x-zeq-error'));
      expect(upstream.seen).toHaveLength(passes ? 1 : 0);
    },
  );

  it.each([
    ['no service token', () => undefined],
    ['a token under another secret', () => signer('x'.repeat(40)).sign('forwarder', rig.owner, 'a')],
    ['a token for another service', () => signer(SECRET).sign('byok-vault', rig.owner, 'b')],
    ['a token of another service', () => signer(SECRET, 'sync-engine').sign('forwarder', rig.owner, 'c')],
    ['an owner key as it is', () => 'zsm_0123456789abcdefghij'],
  ])('answers 401 to %s, and asks nobody', async (_what, token) => {
    const asked = rig.vault.asked.length;

    expect(codeOf(await send(SLUG, id, token()))).toEqual([401, 'unauthorized']);
    expect(rig.vault.asked).toHaveLength(asked);
    expect(upstream.seen).toEqual([]);
  });

  it('answers 404 for another slug', async () => {
    expect(codeOf(await send('bob', id, rig.token()))).toEqual([404, 'not_found']);
  });
});

describe.each(doors.filter(({ name }) => name.includes(':id')))('$name', ({ send, audience }) => {
  it('answers 404 for another slug and for an unknown API, in the same words', async () => {
    const [foreign, unknown] = await Promise.all([
      send('bob', id, rig.token()),
      send(SLUG, newId('api'), rig.token()),
    ]);

    expect([codeOf(foreign), codeOf(unknown)]).toEqual([
      [404, 'not_found'],
      [404, 'not_found'],
    ]);
    const [one, two] = (await Promise.all([foreign.json(), unknown.json()])) as { request_id: string }[];
    expect({ ...one, request_id: '' }).toEqual({ ...two, request_id: '' });
  });

  it('passes the decision: an API whose base URL breaks the policy is never called', async () => {
    const inside = rig.register({ base_url: 'http://169.254.169.254' });

    const res = await send(SLUG, inside, rig.token());

    const code =
      audience === 'owner' ? ((await res.json()) as { code: string }).code : res.headers.get('x-zeq-error');
    expect(code).toBe('egress_refused');
  });

  it('passes the limits', async () => {
    const scarce = rig.register({ base_url: upstream.url, rate_limit_per_min: 1 });

    const first = await send(SLUG, scarce, rig.token());
    const second = await send(SLUG, scarce, rig.token());

    expect([first.status, ...codeOf(second)]).toEqual([200, 429, 'rate_limited']);
  });
});

describe('an app token', () => {
  it.each([
    ['GET', '/v1/chat', 200],
    ['HEAD', '/v1/chat', 200],
    ['GET', '/v1/chat/completions?x=/../y', 200],
    ['GET', '/v1/chat/100%25', 200],
    ['GET', '/files/a', 200],
    ['GET', '/files', 403],
    ['POST', '/v1/chat', 403],
    ['GET', '/v1/chatty', 403],
    ['GET', '/v1', 403],
    ['GET', '/V1/chat', 403],
    ['GET', '/v1//chat', 403],
    ['GET', '/v1/%63hat', 403],
    ['GET', '/v1%2fchat', 403],
    ['GET', '/v1/%2563hat', 403],
    ['GET', '/v1/chat/%2e%2e/models', 400],
    ['GET', '/v1/chat/%252e%252e/models', 400],
    ['GET', '/v1/chat/..%2fmodels', 400],
    ['GET', '/v1/chat%5c..%5cmodels', 400],
  ])('of GET under /v1/chat and /files/: %s %s -> %i', async (method, rest, status) => {
    const caller = rig.app([id], {
      allowed_methods: ['GET'],
      allowed_path_prefixes: ['/v1/chat', '/files/'],
    });

    const answer = await rig.raw(
      [
        `${method} /api/zeq/apis/${SLUG}/echo/forward${rest} HTTP/1.1`,
        'Host: mesh',
        'Connection: close',
        `x-zeq-service: ${rig.token(caller)}`,
        '\r\n',
      ].join('\r\n'),
    );

    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(upstream.seen).toHaveLength(status === 200 ? 1 : 0);
  });

  it('does not reach an API that it does not name', async () => {
    const other = rig.register({ base_url: upstream.url, name: 'other' });

    const res = await rig.fetch(other, '/x', {}, rig.app([id]));

    expect(codeOf(res)).toEqual([403, 'out_of_scope']);
  });

  it('has a limit of its own beside that of the API', async () => {
    const caller = rig.app([id], { rate_limit_per_min: 2 });

    const statuses = [];
    for (let i = 0; i < 3; i += 1) statuses.push((await rig.fetch(id, '/x', {}, caller)).status);
    const owner = await rig.fetch(id, '/x');

    expect([...statuses, owner.status]).toEqual([200, 200, 429, 200]);
  });
});

describe('where only some methods are allowed', () => {
  const overrides = {
    'X-HTTP-Method-Override': 'DELETE',
    X_Http_Method: 'DELETE',
    'X-Method-Override': 'DELETE',
  };
  const seenOf = async (api: string, caller?: Caller) => {
    const res = await rig.fetch(api, '/x', { method: 'POST', headers: overrides }, caller);
    expect(res.status).toBe(200);
    return upstream.last.raw.filter((text) => text === 'DELETE');
  };

  it('no header says another one than the request line', async () => {
    const limited = rig.register({ base_url: upstream.url, policy: { allowed_methods: ['POST'] } });

    expect(await seenOf(limited)).toEqual([]);
    expect(await seenOf(id, rig.app([id], { allowed_methods: ['POST'] }))).toEqual([]);
  });

  it('and where all are, such headers pass: long queries are sent with them', async () => {
    expect(await seenOf(id, rig.app([id]))).toHaveLength(3);
  });
});

describe('the policy of an API', () => {
  it('binds its owner too', async () => {
    const narrow = rig.register({
      base_url: upstream.url,
      policy: { allowed_methods: ['GET'], allowed_path_prefixes: ['/v1/'] },
    });

    const answers = await Promise.all([
      rig.fetch(narrow, '/v1/x'),
      rig.fetch(narrow, '/v1/x', { method: 'POST' }),
      rig.fetch(narrow, '/v2/x'),
    ]);

    expect(answers.map(codeOf)).toEqual([
      [200, null],
      [405, 'method_not_allowed'],
      [403, 'forbidden'],
    ]);
  });

  it.each([
    ['missing', 409, 'credential_missing'],
    ['needs_new_header', 409, 'credential_unreadable'],
  ] as const)('a credential that is %s answers %i without a connection', async (auth_state, status, code) => {
    const bare = rig.vault.register({
      base_url: upstream.url,
      machine_id: rig.machineId,
      slug: SLUG,
      auth_state,
    });

    expect(codeOf(await rig.fetch(bare, '/x'))).toEqual([status, code]);
    expect(upstream.seen).toEqual([]);
  });
});

describe('a call that comes back', () => {
  it.each([
    [[], 200],
    [['CDN-Loop: cloudflare'], 200],
    [['CDN-Loop: zeq-mesh'], 200],
    [['CDN-Loop: zeq-mesh, zeq-mesh'], 508],
    [['CDN-Loop: zeq-mesh', 'cdn_loop: zeq-mesh; v=1'], 508],
  ])('with %j answers %i', async (lines, status) => {
    const answer = await rig.raw(rig.head('GET', id, '/x', [...lines, 'Connection: close']));

    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('is refused after one extra hop', async () => {
    const loop = rig.register({ base_url: upstream.url });
    let hops = 0;
    upstream.answer = (req, res) => {
      hops += 1;
      const headers = { 'cdn-loop': String(req.headers['cdn-loop']), 'x-zeq-service': rig.token() };
      fetch(rig.url(loop, '/again'), { headers }).then(
        (answer) => res.writeHead(answer.status, { 'x-hops': hops }).end(),
        () => res.destroy(),
      );
    };

    const res = await rig.fetch(loop, '/start');

    expect([res.status, hops]).toEqual([508, 2]);
    upstream.answer = undefined;
  });
});

describe('what is no route', () => {
  it.each([
    ['GET', '/api/zeq/apis/alice/echo/forward'],
    ['GET', '/api/zeq/apis/alice/echo/forwards/x'],
    ['GET', '/api/zeq/apis/al%69ce/echo/forward/x'],
    ['GET', '/api/zeq/apis/alice/echo/test'],
    ['GET', 'http://evil.example/api/zeq/apis/alice/echo/forward/x'],
    ['GET', '//api/zeq/apis/alice/echo/forward/x'],
  ])('%s %s answers 404', async (method, target) => {
    const answer = await rig.raw(
      `${method} ${target} HTTP/1.1\r\nHost: mesh\r\nConnection: close\r\nx-zeq-service: ${rig.token()}\r\n\r\n`,
    );

    expect(answer).toMatch(/^HTTP\/1.1 404 /);
  });

  it.each(['TRACE', 'CONNECT'])('%s is never forwarded', async (method) => {
    const answer = await rig.raw(rig.head(method, id, '/x', ['Connection: close']));

    expect(answer).not.toMatch(/^HTTP\/1.1 2/);
    expect(upstream.seen).toEqual([]);
  });
});
