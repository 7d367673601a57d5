import { createServer as createTls } from 'node:tls';
import type { TestResult } from '@zeq/contracts';
import { newId } from '@zeq/crypto';
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
  it.each([
    { method: 'TRACE' },
    { method: 'TRACK' },
    { method: 'CONNECT' },
    { method: 'PRI' },
    { path: 'http://169.254.169.254/' },
    { path: 'v1' },
  ])('refuses %j, which is no call that could be made', async (body) => {
    const { status } = await test(id, body);

    expect(status).toBe(400);
    expect(upstream.seen).toEqual([]);
  });

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
    expect(result.headers['x-echo']).toMatch(/^Bearer \[redacted\]\*+$/);
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

describe('POST /api/zeq/apis/:slug/test', () => {
  const tryOut = async (api: object, path = '/v1/models') => {
    const res = await fetch(`http://127.0.0.1:${rig.port}/api/zeq/apis/alice/test`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-zeq-service': rig.token() },
      body: JSON.stringify({ path, api }),
    });
    return { status: res.status, result: (await res.json()) as TestResult };
  };
  const draft = () => ({ base_url: upstream.url, auth_header: `Authorization: Bearer ${CANARY}` });

  beforeEach(() => {
    rig.vault.refuseDrafts = undefined;
    rig.vault.drafts.length = 0;
  });

  it('makes the call with a credential that is not saved, and keeps no lease of it', async () => {
    const held = rig.plane.leases.size;

    const { status, result } = await tryOut(draft());

    expect([status, result.ok, result.status]).toEqual([200, true, 200]);
    expect(valuesOf(upstream.last!.raw, 'authorization')).toEqual([`Bearer ${CANARY}`]);
    expect(rig.plane.leases.size).toBe(held);
  });

  it('shows nothing of the credential that an upstream repeats', async () => {
    upstream.answer = (_req, res) => res.writeHead(401).end(`no such key: ${CANARY}`);

    const { result } = await tryOut(draft());

    expect(result.failed_step).toBe('authentication');
    expect(JSON.stringify(result)).not.toContain(CANARY);
    expect(rig.lines.join('')).not.toContain(CANARY);
  });

  it('passes the decision and the guard like any other call', async () => {
    const { result } = await tryOut({ ...draft(), base_url: 'http://169.254.169.254' });
    const dots = await tryOut(draft(), '/../admin');

    expect([result.failed_step, result.code]).toEqual(['guard', 'egress_refused']);
    expect([dots.result.failed_step, dots.result.code]).toEqual(['decision', 'invalid_path']);
    expect(upstream.seen).toEqual([]);
  });

  it('passes on what the vault has against a registration', async () => {
    rig.vault.refuseDrafts = { code: 'auth_header_refused', detail: 'One line is needed.' };

    const { status, result } = await tryOut(draft());

    expect([status, result.code, result.detail]).toEqual([422, 'auth_header_refused', 'One line is needed.']);
    expect(upstream.seen).toEqual([]);
  });

  it('counts all drafts of a machine together', async () => {
    const other = { ...rig.owner, machine_id: newId('mch') };
    const codes = [];
    for (let i = 0; i < 4; i++) {
      const res = await fetch(`http://127.0.0.1:${rig.port}/api/zeq/apis/alice/test`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-zeq-service': rig.token(other) },
        body: JSON.stringify({ api: draft() }),
      });
      codes.push(res.status);
    }

    expect(codes).toEqual([200, 200, 200, 429]); // the stand-in vault leases drafts with 3 a minute
  });
});
