import { createServer as createTls } from 'node:tls';
import type { TestResult } from '@zeq/contracts';
import { TestAuthority } from './certificates.ts';
import { CANARY, listenOn, Rig, until } from './rig.ts';
import { RawUpstream, Upstream, valuesOf } from './upstream.ts';

let rig: Rig;
let upstream: Upstream;
let id: string;

beforeAll(async () => {
  [rig, upstream] = await Promise.all([
    Rig.start({ allow: '127.0.0.1, tls.example.net', dnsBudgetMs: 200 }),
    new Upstream().open(),
  ]);
  id = rig.register({ base_url: upstream.url });
});

afterAll(() => Promise.all([rig.stop(), upstream.close()]));

beforeEach(() => {
  upstream.answer = undefined;
  upstream.seen.length = 0;
});

async function test(apiId: string, body: unknown = { path: '/v1/models' }) {
  const res = await fetch(`http://127.0.0.1:${rig.port}/api/zeq/apis/alice/${apiId}/test`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-zeq-service': rig.token() },
    body: JSON.stringify(body),
  });
  return { status: res.status, result: (await res.json()) as TestResult };
}

describe('POST /api/zeq/apis/:slug/:id/test', () => {
  it('makes the call with the stored credential and shows what came back', async () => {
    const { status, result } = await test(id, {
      path: '/v1/chat?x=1',
      method: 'POST',
      headers: { 'X-One': '1', Authorization: 'mine' },
      body: { model: 'm' },
    });

    expect(status).toBe(200);
    expect(result).toEqual({
      ok: true,
      status: 200,
      latency_ms: expect.any(Number),
      headers: expect.objectContaining({ 'content-type': 'text/plain' }),
      body: 'hello',
      body_truncated: false,
      failed_step: null,
      code: null,
      detail: null,
    });
    expect(upstream.last).toMatchObject({
      method: 'POST',
      url: '/v1/chat?x=1',
      body: Buffer.from('{"model":"m"}'),
    });
    expect(valuesOf(upstream.last.raw, 'authorization')).toEqual([`Bearer ${CANARY}`]);
    expect(valuesOf(upstream.last.raw, 'content-type')).toEqual(['application/json']);
    expect(valuesOf(upstream.last.raw, 'x-one')).toEqual(['1']);
  });

  it.each([
    [401, 'authentication'],
    [403, 'authentication'],
    [404, 'status'],
    [500, 'status'],
    [302, null],
  ])('calls an upstream’s %i %s', async (answer, step) => {
    upstream.answer = (_req, res) => res.writeHead(answer, { location: '/y' }).end('text');

    const { result } = await test(id);

    expect([result.ok, result.status, result.failed_step, result.body]).toEqual([
      step === null,
      answer,
      step,
      'text',
    ]);
  });

  it.each([
    ['name', 'dns_failed', () => 'https://gone.example.net'],
    ['guard', 'egress_refused', () => 'http://10.0.0.1'],
    ['connect', 'connect_failed', () => 'http://127.0.0.1:4999'],
    ['tls', 'tls_failed', () => `https://tls.example.net:${tlsPort}`],
    ['response', 'upstream_reset', () => closing.url],
    ['response', 'upstream_invalid', () => lying.url],
  ])('says that the step "%s" failed (%s)', async (step, code, url) => {
    rig.dns.answer = (name) => (name === 'tls.example.net' ? { addresses: ['127.0.0.1'] } : undefined);

    const { status, result } = await test(rig.register({ base_url: url() }));

    expect([status, result.ok, result.failed_step, result.code]).toEqual([200, false, step, code]);
    expect(result.detail).toEqual(expect.any(String));
  });

  const tls = createTls(new TestAuthority().issue(['tls.example.net']));
  let tlsPort: number;
  let closing: RawUpstream;
  let lying: RawUpstream;

  beforeAll(async () => {
    tlsPort = await listenOn(tls as never);
    closing = await new RawUpstream((socket) => socket.end()).open();
    lying = await new RawUpstream((socket) => socket.end('SMTP ready\r\n')).open();
  });

  afterAll(async () => {
    tls.close();
    await Promise.all([closing.close(), lying.close()]);
  });

  it('says that the decision failed for a credential that is missing', async () => {
    const { result } = await test(rig.register({ base_url: upstream.url, auth_state: 'missing' }));

    expect([result.failed_step, result.code]).toEqual(['decision', 'credential_missing']);
    expect(upstream.seen).toEqual([]);
  });

  it('shows at most 64 KiB of a body and reads no further', async () => {
    let closed = false;
    upstream.answer = (_req, res) => {
      res.on('close', () => {
        closed = true;
      });
      const pump = () => {
        while (!res.destroyed && res.write('x'.repeat(65_536)));
        res.once('drain', pump);
      };
      pump();
    };

    const { result } = await test(id);

    expect([result.body.length, result.body_truncated, result.ok]).toEqual([65_536, true, true]);
    await until(() => closed, 'the end of the upstream’s answer');
  });

  it('never shows the credential, in headers or body, in any simple form', async () => {
    const forms = {
      plain: `Bearer ${CANARY}`,
      bare: CANARY,
      base64: Buffer.from(CANARY).toString('base64'),
      whole64: Buffer.from(`Bearer ${CANARY}`).toString('base64'),
      hex: Buffer.from(CANARY).toString('hex'),
      upper: Buffer.from(CANARY).toString('hex').toUpperCase(),
      percent: encodeURIComponent(`Bearer ${CANARY}`),
    };
    upstream.answer = (_req, res) => res.writeHead(200, { 'x-echo': forms.plain }).end(JSON.stringify(forms));

    const { result } = await test(id);

    const shown = JSON.stringify(result);
    for (const form of Object.values(forms)) expect(shown).not.toContain(form);
    expect(result.headers['x-echo']).toBe('[redacted]');
  });

  it.each([
    [{ path: '/x', extra: 1 }, 'invalid_body'],
    [{ path: '/x', method: 'get' }, 'invalid_body'],
    [{ path: '/x', headers: { 'bad name': 'x' } }, 'invalid_header'],
    [{ path: '/x', headers: { 'X-A': 'a\r\nX-B: b' } }, 'invalid_header'],
  ])('refuses %j with 400 %s', async (body, code) => {
    const { status, result } = await test(id, body);

    expect([status, result.code]).toEqual([400, code]);
    expect(upstream.seen).toEqual([]);
  });

  it('makes no test of an empty body of its own: it asks for /', async () => {
    const { result } = await test(id, {});

    expect([result.ok, upstream.last.url]).toEqual([true, '/']);
  });

  it('leaves nothing open', async () => {
    await until(() => rig.plane.live.size === 0, 'no open calls');
  });
});
