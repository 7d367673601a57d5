import { createHash, randomBytes } from 'node:crypto';
import { call, PLATFORM_KEY, type Rig, startRig } from './kit/gateway.ts';
import { app, owner, type Person } from './kit/people.ts';

const PATH = '/api/zeq/apis/alice/openai/forward';

describe('ANY /api/zeq/apis/:slug/:id/forward/*', () => {
  let rig: Rig;
  let alice: Person;
  beforeAll(async () => {
    rig = await startRig();
    alice = rig.register.add(owner('alice'));
  });
  beforeEach(() => {
    rig.forwarder.seen.length = 0;
    rig.forwarder.answer = undefined;
  });
  afterAll(() => rig.stop());

  const bearer = () => ({ authorization: `Bearer ${alice.token}` });

  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])(
    'hands on a %s with path, query and body as they came, signed for the caller',
    async (method) => {
      const body = method === 'GET' ? undefined : '{"n":1}';

      const reply = await call(`${rig.url}${PATH}/v1/chat//x%20y;z?a=1&b=%2f&&c`, {
        method,
        headers: { ...bearer(), 'Content-Length': String(body?.length ?? 0) },
        ...(body !== undefined && { body }),
      });

      expect(reply.status).toBe(200);
      const [seen] = rig.forwarder.seen;
      expect(seen).toMatchObject({ method, url: `${PATH}/v1/chat//x%20y;z?a=1&b=%2f&&c`, body: body ?? '' });
      expect(seen?.claims).toMatchObject({ iss: 'gateway', aud: 'forwarder', caller: alice.answer.caller });
    },
  );

  const basic = (user: string, password: string) =>
    `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  it.each([
    ['Authorization: Bearer', (token: string) => ({ Authorization: `Bearer ${token}` })],
    [
      'Authorization under a scheme of the provider',
      (token: string) => ({ Authorization: `Token ${token}` }),
    ],
    ['Authorization without a scheme', (token: string) => ({ authorization: token })],
    ['x-api-key', (token: string) => ({ 'x-api-key': token })],
    ['api-key', (token: string) => ({ 'api-key': token })],
    ['x-goog-api-key', (token: string) => ({ 'x-goog-api-key': token })],
    ['a header of the upstream', (token: string) => ({ 'X-Weather-Key': token })],
    ['the password of a Basic pair', (token: string) => ({ Authorization: basic('api', token) })],
    ['the user name of a Basic pair', (token: string) => ({ Authorization: basic(token, '') })],
  ])('finds the token in %s and takes it out', async (_place, headersOf) => {
    const reply = await call(`${rig.url}${PATH}/v1`, { headers: headersOf(alice.token) });

    expect(reply.status).toBe(200);
    const names = rig.forwarder.seen[0]?.rawHeaders
      .filter((_, i) => i % 2 === 0)
      .map((name) => name.toLowerCase());
    expect(names).toEqual(['host', 'x-zeq-service', 'x-request-id', 'x-zeq-trace']);
  });

  it.each([
    ['?key=TOKEN', ''],
    ['?a=1&appid=TOKEN&b=2', '?a=1&b=2'],
    ['?TOKEN=1&key=TOKEN', '?TOKEN=1'],
    ['?key=TOKEN&other=TOKEN&', '?'],
  ])('takes the token out of the query %s', async (query, rest) => {
    const fill = (text: string) => text.replace(/=TOKEN/g, `=${alice.token}`);

    const reply = await call(`${rig.url}${PATH}/v1${fill(query)}`);

    expect(reply.status).toBe(200);
    expect(rig.forwarder.seen[0]?.url).toBe(`${PATH}/v1${rest}`);
  });

  it('refuses two different tokens, wherever they are', async () => {
    const other = rig.register.add(owner('alice'));

    const reply = await call(`${rig.url}${PATH}/v1?key=${other.token}`, { headers: bearer() });

    expect(reply.json()).toMatchObject({ status: 400, code: 'ambiguous_credentials' });
    expect(rig.forwarder.seen).toEqual([]);
  });

  it.each(['Authorization', 'X-API-Key'])('refuses two lines of %s, even of the same value', async (name) => {
    const reply = await call(`${rig.url}${PATH}/v1`, {
      headers: { [name]: [`Bearer ${alice.token}`, `Bearer ${alice.token}`] },
    });

    expect(reply.json()).toMatchObject({ status: 400, code: 'ambiguous_credentials' });
  });

  it("leaves a header of the upstream's own beside the token, but no credential of the mesh", async () => {
    await call(`${rig.url}${PATH}/v1`, {
      headers: {
        'x-goog-api-key': alice.token,
        authorization: 'Bearer theirs',
        'x-api-key': PLATFORM_KEY,
        'x-admin-key': 'any',
      },
    });

    const { headers } = rig.forwarder.seen[0]!;
    expect(headers.authorization).toBe('Bearer theirs');
    expect([headers['x-api-key'], headers['x-admin-key']]).toEqual([undefined, undefined]);
  });

  it('lets nothing through that belongs to this hop or to the mesh', async () => {
    await call(`${rig.url}${PATH}/v1`, {
      headers: {
        ...bearer(),
        connection: 'close, X-Listed',
        'x-listed': '1',
        te: 'trailers',
        cookie: 'a=b',
        'proxy-authorization': 'Basic eA==',
        'x-zeq-service': 'forged',
        'x-zeq-owner': 'other',
        'x-forwarded-for': '1.2.3.4',
        x_api_key: 'folded',
        accept: 'text/plain',
      },
    });

    const { headers, claims } = rig.forwarder.seen[0]!;
    const names = Object.keys(headers).sort();
    expect(names).toEqual(['accept', 'host', 'x-request-id', 'x-zeq-service', 'x-zeq-trace']);
    expect(claims?.caller).toEqual(alice.answer.caller);
  });

  it.each([
    ['an unknown slug', '/api/zeq/apis/nobody/openai/forward/v1'],
    ["somebody else's slug", '/api/zeq/apis/bob/openai/forward/v1'],
  ])('answers the same 404 for %s', async (_name, path) => {
    const reply = await call(`${rig.url}${path}`, {
      headers: { ...bearer(), 'x-request-id': 'same-request-id' },
    });

    expect(reply.text).toBe(
      '{"type":"https://zeqsdk.com/problems/not_found","title":"Not found","status":404,"code":"not_found","detail":"There is nothing here, or it is not yours.","request_id":"same-request-id"}',
    );
  });

  it.each([
    ['no token', {}, 401, 'unauthorized'],
    ['an unknown token', { authorization: `Bearer zsm_${'x'.repeat(43)}` }, 401, 'unauthorized'],
    ['a platform key', { 'x-api-key': PLATFORM_KEY }, 401, 'unauthorized'],
    ['a comma list with a good key in it', { 'x-api-key': `bad,${PLATFORM_KEY}` }, 401, 'unauthorized'],
  ])('refuses %s', async (_name, headers, status, code) => {
    const reply = await call(`${rig.url}${PATH}/v1`, { headers });

    expect(reply.json()).toMatchObject({ status, code });
    expect(reply.headers).toMatchObject({ 'x-zeq-error': code, 'content-type': 'application/problem+json' });
  });

  it('refuses an expired token as expired, and a key that may only read as forbidden', async () => {
    const [late, reader] = [rig.register.add(app('alice', true)), rig.register.add(owner('alice', 'read'))];

    const expired = await call(`${rig.url}${PATH}/v1`, {
      headers: { authorization: `Bearer ${late.token}` },
    });
    const forbidden = await call(`${rig.url}${PATH}/v1`, {
      headers: { authorization: `Bearer ${reader.token}` },
    });

    expect(expired.json()).toMatchObject({ status: 401, code: 'token_expired' });
    expect(forbidden.json()).toMatchObject({ status: 403, code: 'forbidden' });
  });

  it("passes the upstream's status, headers and body, and adds what every answer carries", async () => {
    rig.forwarder.answer = (_req, res) =>
      res
        .writeHead(429, {
          'content-length': 4,
          'x-ratelimit-remaining': '0',
          'server-timing': 'forwarder;dur=0.1, upstream;dur=3',
          'x-request-id': 'req_of_the_upstream',
          'access-control-allow-origin': '*',
          'content-security-policy': 'default-src *',
          'cache-control': 'public',
        })
        .end('slow');

    const reply = await call(`${rig.url}${PATH}/v1`, {
      headers: { ...bearer(), 'x-request-id': 'mine-0001' },
    });

    expect([reply.status, reply.text]).toEqual([429, 'slow']);
    expect(reply.headers).toMatchObject({
      'x-ratelimit-remaining': '0',
      'x-request-id': 'req_of_the_upstream',
      'x-zeq-request-id': 'mine-0001',
      'x-zeq-landauer-energy': '3.324e+56',
      'x-zeq-landauer-suns-required': '2.770e+12',
      'x-zeq-landauer-bits': '256',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'server-timing': expect.stringMatching(/^forwarder;dur=0.1, upstream;dur=3, gateway;dur=\d+\.\d{3}$/),
    });
    expect(reply.headers['access-control-allow-origin']).toBeUndefined();
    expect(reply.headers['content-security-policy']).toMatch(/sandbox$/);
  });

  it('carries large bodies both ways, byte for byte', async () => {
    const body = randomBytes(6 * 1024 * 1024);
    const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
    rig.forwarder.answer = (req, res) => {
      const hash = createHash('sha256');
      res.writeHead(200, { 'x-length': String(req.headers['content-length']) });
      req.on('data', (chunk) => hash.update(chunk) && res.write(chunk));
      req.on('end', () => res.end());
    };

    const reply = await fetch(`${rig.url}${PATH}/v1`, { method: 'POST', headers: bearer(), body });

    expect(digest(Buffer.from(await reply.arrayBuffer()))).toBe(digest(body));
    expect(reply.headers.get('x-length')).toBe(String(body.length));
  });

  it('writes one access line, with no value that came from the caller', async () => {
    rig.lines.length = 0;

    await call(`${rig.url}${PATH}/secret-path?secret-query`, {
      headers: { ...bearer(), 'x-request-id': 'line-0001' },
    });

    expect(rig.lines).toHaveLength(1);
    expect(JSON.parse(rig.lines[0]!)).toEqual({
      level: 30,
      service: 'gateway',
      msg: 'request',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      request_id: 'line-0001',
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      method: 'GET',
      route: '/api/zeq/apis/:slug/:id/forward/*',
      status: 200,
      ms: expect.any(Number),
      who: 'owner:alice',
    });
  });
});
