import { once } from 'node:events';
import { connect } from 'node:net';
import { ADMIN_KEY, call, PLATFORM_KEY, type Rig, startRig } from './kit/gateway.ts';
import { owner, type Person } from './kit/people.ts';

describe('the control plane', () => {
  let rig: Rig;
  let alice: Person;
  beforeAll(async () => {
    rig = await startRig();
    alice = rig.register.add(owner('alice'));
  });
  beforeEach(() => {
    rig.vault.seen.length = 0;
    rig.vault.answer = undefined;
  });
  afterAll(() => rig.stop());

  const json = { 'content-type': 'application/json' };

  it('passes a request to its service, signed for the caller and without the credential', async () => {
    const reply = await call(`${rig.url}/api/zeq/apis/alice?limit=2`, {
      method: 'POST',
      headers: {
        ...json,
        authorization: `Bearer ${alice.token}`,
        'x-zeq-service': 'forged',
        'x-request-id': 'mine-0001',
      },
      body: '{"name":"n"}',
    });

    expect(reply.json()).toEqual({
      method: 'POST',
      url: '/api/zeq/apis/alice?limit=2',
      body: '{"name":"n"}',
    });
    const seen = rig.vault.seen.find(({ url }) => url !== '/internal/identify')!;
    expect(seen.claims).toMatchObject({ iss: 'gateway', aud: 'byok-vault', caller: alice.answer.caller });
    expect(seen.headers).toMatchObject({ 'x-request-id': 'mine-0001', 'content-length': '12' });
    expect(seen.headers.authorization).toBeUndefined();
  });

  it("drops what a service says for its origin, and keeps the gateway's own lines single", async () => {
    rig.vault.answer = (_req, res) =>
      res
        .writeHead(200, {
          'content-security-policy': 'default-src *',
          'x-powered-by': 'something',
          'strict-transport-security': 'max-age=1',
          'access-control-allow-origin': '*',
          'cache-control': 'private, max-age=5',
        })
        .end('[]');

    const { rawHeaders } = await call(`${rig.url}/api/zeq/apis/alice`, {
      headers: { authorization: `Bearer ${alice.token}` },
    });

    const names = rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
    expect(names).toEqual(
      expect.not.arrayContaining([
        'x-powered-by',
        'strict-transport-security',
        'access-control-allow-origin',
      ]),
    );
    expect(rawHeaders[rawHeaders.findIndex((name) => /^content-security-policy$/i.test(name)) + 1]).toMatch(
      /^default-src 'none'/,
    );
  });

  it.each([
    ['/api/zeq/machines', 'POST', { 'x-api-key': PLATFORM_KEY }, 'platform'],
    ['/api/zeq/machines', 'POST', { authorization: `Bearer ${PLATFORM_KEY}` }, 'platform'],
    ['/api/zeq/admin/machines', 'GET', { 'x-admin-key': ADMIN_KEY }, 'operator'],
  ])('knows the caller of %s by %s %o', async (path, method, headers, kind) => {
    const reply = await call(`${rig.url}${path}`, {
      method,
      headers: { ...headers, ...json },
      ...(method === 'POST' && { body: '{}' }),
    });

    expect(reply.status).toBe(200);
    expect(rig.vault.seen[0]?.claims?.caller).toEqual({ kind });
  });

  it.each([
    ['/nothing/here', 'GET', 404, 'not_found'],
    ['/API/zeq/apis/alice', 'GET', 404, 'not_found'],
    ['/api/zeq/apis/alice/', 'GET', 404, 'not_found'],
    ['/api/zeq/apis/alice', 'PUT', 405, 'method_not_allowed'],
    ['/api/zeq/apis/alice/../bob', 'GET', 400, 'invalid_path'],
    ['/api/zeq/apis/%2e%2e/bob', 'GET', 400, 'invalid_path'],
    ['/api/zeq/apis/a%2fb', 'GET', 400, 'invalid_path'],
    ['/api/zeq//apis', 'GET', 400, 'invalid_path'],
    ['/api/zeq/apis/a%', 'GET', 400, 'invalid_path'],
  ])('answers %s %s with %i', async (path, method, status, code) => {
    const reply = await call(`${rig.url}${path}`, { method });

    expect(reply.json()).toMatchObject({ status, code });
    expect(reply.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'x-zeq-error': code,
      'x-zeq-landauer-energy': '3.324e+56',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
    });
    expect(reply.headers['x-powered-by']).toBeUndefined();
  });

  it('says which methods a path has', async () => {
    const reply = await call(`${rig.url}/api/zeq/machines/alice/keys`, { method: 'PATCH' });

    expect(reply.headers.allow).toBe('GET, POST');
  });

  it('answers 503 with Retry-After when a service is away, under the code of the vault for the vault', async () => {
    const alone = await startRig({ env: { OPERATOR_URL: 'http://127.0.0.1:1' } });
    const vault = await call(`${alone.url}/api/zeq/operators`);
    await alone.vault.stop();
    const lost = await call(`${alone.url}/api/zeq/admin/machines`, { headers: { 'x-admin-key': ADMIN_KEY } });
    const unknown = await call(`${alone.url}/api/zeq/apis/alice`, {
      headers: { authorization: `Bearer ${alice.token}` },
    });
    await alone.vault.start();
    await alone.stop();

    expect(vault.json()).toMatchObject({ status: 503, code: 'service_unavailable' });
    expect(lost.json()).toMatchObject({ status: 503, code: 'vault_unavailable' });
    expect(unknown.json()).toMatchObject({ status: 503, code: 'vault_unavailable' });
    for (const { headers } of [vault, lost, unknown]) expect(headers['retry-after']).toBe('1');
  });

  it('cuts the client off when the answer of a service breaks', async () => {
    rig.vault.answer = (_req, res) => {
      res.writeHead(200, { 'content-length': 100 }).write('half');
      setTimeout(() => res.destroy(), 10);
    };

    const reply = call(`${rig.url}/api/zeq/apis/alice`, {
      headers: { authorization: `Bearer ${alice.token}` },
    });

    await expect(reply).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('shows health to everybody and metrics to operators', async () => {
    const health = await call(`${rig.url}/health`);
    const hidden = await call(`${rig.url}/metrics`);
    const metrics = await call(`${rig.url}/metrics`, { headers: { 'x-admin-key': ADMIN_KEY } });

    expect(health.json()).toEqual({
      status: 'ok',
      service: 'zeq-api-gateway',
      version: expect.any(String),
      uptime: expect.any(Number),
      hite_enabled: expect.any(Boolean),
    });
    expect(hidden.status).toBe(401);
    expect(metrics.text).toMatch(
      /zeq_gateway_requests_total\{route="\/health",status="2xx",service="gateway"\} \d+/,
    );
  });

  it('is not ready while the change feed is silent', async () => {
    rig.feed.fresh = false;
    const silent = await call(`${rig.url}/ready`);
    rig.feed.fresh = true;
    const heard = await call(`${rig.url}/ready`);

    expect([silent.status, silent.json().missing]).toEqual([503, ['vault']]);
    expect(heard.status).toBe(200);
  });

  it('asks every service for its health, for an operator', async () => {
    rig.engine.answer = (req, res) =>
      res.end(
        JSON.stringify(
          req.url === '/health'
            ? { status: 'ok', version: '1', uptime: 5 }
            : { status: 'ready', missing: [] },
        ),
      );

    const reply = await call(`${rig.url}/api/zeq/admin/health`, { headers: { 'x-admin-key': ADMIN_KEY } });

    expect(reply.json()).toMatchObject({
      status: 'degraded',
      services: {
        'operator-engine': { reachable: true, ready: true, health: { status: 'ok' } },
        'zeqond-daemon': { reachable: false, ready: false, health: null },
      },
    });
  });

  it('serves Swagger UI from here alone, without a script in the page', async () => {
    const page = await call(`${rig.url}/api-docs`);
    const script = await call(`${rig.url}/api-docs/swagger-ui-bundle.js`);
    const stray = await call(`${rig.url}/api-docs/package.json`);

    expect(page.headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self'/,
    );
    expect(page.text).not.toMatch(/<script>|https?:/);
    expect([script.status, script.headers['content-type']]).toEqual([200, 'text/javascript; charset=utf-8']);
    expect(stray.status).toBe(404);
  });

  it('grants a browser of a named origin, and nobody else', async () => {
    const ask = (origin: string, path: string) =>
      call(`${rig.url}${path}`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    const paths = ['/api/zeq/apis/alice', '/api/zeq/apis/alice/openai/forward/v1'];

    for (const path of paths) {
      const granted = await ask('https://page.example.com', path);
      expect([granted.status, granted.headers['access-control-allow-origin']]).toEqual([
        204,
        'https://page.example.com',
      ]);
      for (const origin of [
        'null',
        'https://evil.example.net',
        'https://page.example.com.evil.net',
        'https://xpage.example.com',
      ])
        expect((await ask(origin, path)).headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  it.each([
    ['a long body', { 'Content-Length': '100000' }, /^connection: close$/im],
    ['a body of unknown length', { 'Transfer-Encoding': 'chunked' }, /^connection: close$/im],
    ['a short body', { 'Content-Length': '60000' }, /^connection: keep-alive$/im],
    [
      'what nginx sends, which keeps no connection',
      { 'Content-Length': '100000', Connection: 'close' },
      /^connection: close$/im,
    ],
  ])('refuses %s before its end, and says whether the connection goes on', async (_what, framing, wanted) => {
    const length = Number('Content-Length' in framing ? framing['Content-Length'] : 100_000);
    const lines = Object.entries(framing).map(([name, value]) => `${name}: ${value}\r\n`);
    const socket = connect(rig.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.write(
      `POST /api/zeq/apis/alice HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${alice.token}\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n${lines.join('')}\r\n`,
    );
    while (!answer.endsWith('}')) await once(socket, 'data');
    const closed = once(socket, 'close');

    expect(answer).toMatch(/^HTTP\/1.1 415 /);
    expect(answer).toMatch(wanted);
    // what was on its way does not meet a closed door
    const body = 'x'.repeat(length);
    socket.write('Content-Length' in framing ? body : `${length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
    if (/close/.test(wanted.source)) {
      answer = '';
      socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n'); // behind the last answer nothing is processed
      await closed;
      expect(answer).toBe('');
    } else {
      answer = '';
      socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await once(socket, 'data');
      expect(answer).toMatch(/^HTTP\/1.1 200 /);
      socket.destroy();
    }
  });

  it('answers what is no request, and the answer arrives although its sender goes on', async () => {
    for (let i = 0; i < 20; i += 1) {
      const socket = connect(rig.port, '127.0.0.1').on('error', () => undefined);
      let answer = '';
      socket.on('data', (chunk) => {
        answer += chunk.toString('latin1');
      });
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n');
      for (let n = 0; n < 100; n += 1) socket.write(`X-Many-${n}: ${'b'.repeat(4_000)}\r\n`);
      await once(socket, 'close');

      expect(answer).toMatch(/^HTTP\/1.1 431 /);
    }
  }, 60_000);
});
