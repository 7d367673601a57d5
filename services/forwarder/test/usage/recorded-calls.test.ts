import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { RecordedCall, UsageMinute } from '@zeq/contracts';
import { newId } from '@zeq/crypto';
import { BEARER, CANARY, Rig, SLUG, until } from '../rig.ts';
import { RawUpstream, Upstream } from '../upstream.ts';

let rig: Rig;
let upstream: Upstream;
beforeAll(async () => {
  rig = await Rig.start();
  upstream = await new Upstream().open();
});
afterAll(() => Promise.all([rig.stop(), upstream.close()]));
beforeEach(() => {
  upstream.answer = undefined;
});

const register = (policy: object = {}, perMinute = 1_000): string =>
  rig.register({ base_url: upstream.url, rate_limit_per_min: perMinute, policy });

/** What was reported of an API, once so many calls have ended. */
async function reported(apiId: string, calls: number): Promise<{ calls: RecordedCall[]; sums: UsageMinute }> {
  const of = <T extends { api_id: string }>(parts: T[]) => parts.filter(({ api_id }) => api_id === apiId);
  await until(() => {
    rig.usage.tick();
    return of(rig.reports.flatMap((report) => report.calls)).length >= calls;
  }, `${calls} reported calls`);
  const sums = of(rig.reports.flatMap(({ minutes }) => minutes)).reduce(added);
  return { calls: of(rig.reports.flatMap((report) => report.calls)), sums };
}

/** Reports come when they come: what counts is their sum. */
function added<T extends object>(one: T, two: T): T {
  const names = new Set([...Object.keys(one), ...Object.keys(two)]) as Set<keyof T>;
  const sum = (a: unknown, b: unknown): unknown => {
    if (typeof a === 'object' && a !== null) return added(a, (b ?? {}) as object);
    return typeof b === 'number' ? Number(a ?? 0) + b : (a ?? b);
  };
  return Object.fromEntries([...names].map((name) => [name, sum(one[name], two[name])])) as T;
}

describe('what is recorded of a call', () => {
  it('is the answer that was handed over, with its bytes', async () => {
    const apiId = register();

    await (await rig.fetch(apiId, '/v1/x?secret=1', { method: 'POST', body: 'four' })).text();

    const { calls, sums } = await reported(apiId, 1);
    expect(calls).toEqual([
      {
        api_id: apiId,
        at: expect.any(Number),
        kind: 'call',
        caller_id: rig.owner.key_id,
        method: 'POST',
        path: '/v1/x',
        status: 200,
        outcome: 'ok',
        code: null,
        duration_ms: expect.any(Number),
        bytes_in: 4,
        bytes_out: 5,
        tokens_in: null,
        tokens_out: null,
        request_id: expect.any(String),
      },
    ]);
    expect(sums).toMatchObject({ requests: 1, sent: 1, errors: 0 });
  });

  it('counts a large body on its way', async () => {
    const apiId = register();

    await (await rig.fetch(apiId, '/', { method: 'POST', body: 'x'.repeat(1_000_000) })).text();

    expect((await reported(apiId, 1)).calls[0]).toMatchObject({ bytes_in: 1_000_000 });
  });

  it('says who said no: the mesh, before anything went out', async () => {
    const apiId = register({ allowed_path_prefixes: ['/v1'] }, 2);
    const app = rig.app([apiId], { allowed_methods: ['GET'] });

    expect((await rig.fetch(apiId, '/v1', { method: 'POST' }, app)).status).toBe(403);
    expect((await rig.fetch(apiId, '/v2')).status).toBe(403);
    for (const status of [200, 200, 429]) expect((await rig.fetch(apiId, '/v1')).status).toBe(status);

    const { calls, sums } = await reported(apiId, 5);
    expect(calls.map(({ code, outcome, status }) => [code, outcome, status])).toEqual([
      ['out_of_scope', 'refused', 403],
      ['forbidden', 'refused', 403],
      [null, 'ok', 200],
      [null, 'ok', 200],
      ['rate_limited', 'refused', 429],
    ]);
    expect(calls[0]!.caller_id).toBe(app.token_id);
    expect(sums).toMatchObject({ requests: 5, sent: 2, errors: 3 });
  });

  it('says who said no: the upstream', async () => {
    const apiId = register();
    upstream.answer = (_req, res) => res.writeHead(503).end('later');

    await (await rig.fetch(apiId, '/')).text();

    const { calls, sums } = await reported(apiId, 1);
    expect(calls[0]).toMatchObject({ status: 503, outcome: 'ok', code: null });
    expect(sums).toMatchObject({ errors: 1, refused: {}, sent: 1 });
  });

  it('tells an answer that broke off from one that never came', async () => {
    let asked = 0;
    const raw = await new RawUpstream((socket) => {
      asked += 1;
      if (asked === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
      setTimeout(() => socket.destroy(), 20);
    }).open();
    const apiId = rig.register({ base_url: raw.url, policy: { circuit_failures: 0 } });

    await expect(rig.fetch(apiId, '/half').then((res) => res.text())).rejects.toThrow();
    await rig.fetch(apiId, '/none', { method: 'POST' });

    const { calls, sums } = await reported(apiId, 2);
    expect(calls.map(({ outcome, status, code, bytes_out }) => [outcome, status, code, bytes_out])).toEqual([
      ['broken', 200, 'upstream_reset', 4],
      ['refused', 502, 'upstream_reset', 0],
    ]);
    expect(sums).toMatchObject({ errors: 2, refused: { upstream_reset: 2 }, sent: 2 });
    await raw.close();
  });

  it('says that the caller left', async () => {
    const apiId = register();
    upstream.answer = (_req, res) => void res.write('first');
    const leave = new AbortController();

    const res = await rig.fetch(apiId, '/', { signal: leave.signal });
    await res.body!.getReader().read();
    leave.abort();

    const { calls, sums } = await reported(apiId, 1);
    expect(calls[0]).toMatchObject({ outcome: 'aborted', status: 200, code: null, bytes_out: 5 });
    expect(sums).toMatchObject({ aborted: 1, errors: 0, sent: 1 });
  });

  it('marks a test of what is saved, and leaves out one of what is not', async () => {
    const apiId = register();
    const before = rig.reports.flatMap(({ calls }) => calls).length;
    const test = (path: string, body: object) =>
      fetch(`http://127.0.0.1:${rig.port}/api/zeq/apis/${SLUG}${path}`, {
        method: 'POST',
        headers: { 'x-zeq-service': rig.token(), 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });

    await test('/test', { api: { base_url: upstream.url } });
    expect((await test(`/${apiId}/test`, { path: '/t?a=1', method: 'POST', body: 'hi' })).status).toBe(200);

    const { calls, sums } = await reported(apiId, 1);
    expect(calls[0]).toMatchObject({ kind: 'test', path: '/t', status: 200, bytes_in: 2, bytes_out: 5 });
    expect(sums).toMatchObject({ tests: 1, requests: 1, sent: 1 });
    expect(rig.reports.flatMap((report) => report.calls)).toHaveLength(before + 1);
  });

  it('belongs to no API where there is none', async () => {
    await rig.fetch(newId('api'), '/');
    const apiId = register();
    await rig.fetch(apiId, '/');

    await reported(apiId, 1);
    expect(rig.reports.flatMap(({ calls }) => calls).filter(({ status }) => status === 404)).toEqual([]);
  });

  it('holds the credential in no form, and no query', async () => {
    const apiId = rig.register({ base_url: upstream.url, auth: BEARER });

    await rig.fetch(apiId, `/a/x${CANARY}x/b/${Buffer.from(CANARY).toString('base64url')}?q=${CANARY}`);
    await rig.fetch(apiId, `/bot123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/getMe`);

    const { calls } = await reported(apiId, 2);
    expect(calls.map(({ path }) => path)).toEqual(['/a/[redacted]/b/[redacted]', '/[redacted]/getMe']);
    expect(JSON.stringify(rig.reports)).not.toContain(CANARY);
  });
});

describe('model tokens', () => {
  const usage = '{"usage":{"input_tokens":12,"output_tokens":34}}';

  it.each([
    ['as it is', undefined],
    ['packed, which the redaction unpacks', 'gzip'],
  ])('are read from an answer %s', async (_how, encoding) => {
    const apiId = register();
    upstream.answer = (_req, res) => {
      res.writeHead(200, {
        'content-type': 'application/json',
        ...(encoding && { 'content-encoding': encoding }),
      });
      res.end(encoding ? gzipSync(usage) : usage);
    };

    await (await rig.fetch(apiId, '/')).text();

    expect((await reported(apiId, 1)).calls[0]).toMatchObject({ tokens_in: 12, tokens_out: 34 });
  });

  it('are not guessed from packed bytes that nobody unpacks', async () => {
    const apiId = rig.vault.register({
      base_url: upstream.url,
      machine_id: rig.machineId,
      slug: SLUG,
      auth_state: 'ok',
    });
    upstream.answer = (_req, res) =>
      res
        .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        .end(gzipSync(usage));

    await (await rig.fetch(apiId, '/')).arrayBuffer();

    expect((await reported(apiId, 1)).calls[0]).toMatchObject({ tokens_in: null, tokens_out: null });
  });

  it('of a stream that its caller leaves are those that were stated until then', async () => {
    const apiId = register();
    upstream.answer = (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: {"message":{"usage":{"input_tokens":25,"output_tokens":1}}}\n\n');
    };
    const leave = new AbortController();

    const res = await rig.fetch(apiId, '/', { signal: leave.signal });
    await res.body!.getReader().read();
    leave.abort();

    const { sums } = await reported(apiId, 1);
    expect(sums).toMatchObject({ tokens_in: 25, tokens_out: 1, aborted: 1 });
  });
});

describe('a WebSocket', () => {
  const CLOSE = Buffer.from([0x88, 0x80, 1, 2, 3, 4]);
  const handshake = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: x',
  ];
  let raw: RawUpstream;
  beforeAll(async () => {
    raw = await new RawUpstream((socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
      socket.on('data', (chunk: Buffer) => {
        if (chunk[0] === 0x81) socket.write(Buffer.from([0x81, 2, 0x68, 0x69]));
        if (chunk[0] === 0x82) socket.end();
      });
    }).open();
  });
  afterAll(() => raw.close());

  /** One that has said a word and heard one. */
  async function open(apiId: string): Promise<Socket> {
    const socket = connect(rig.port, '127.0.0.1');
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
    });
    socket.write(rig.head('GET', apiId, '/live', handshake));
    await until(() => heard.includes('\r\n\r\n'));
    socket.write(Buffer.from([0x81, 0x83, 1, 2, 3, 4, 5, 6, 7]));
    await until(() => heard.endsWith('hi'));
    return socket;
  }

  it('counts when it ends, with the bytes that passed both ways', async () => {
    const apiId = rig.register({ base_url: raw.url });

    (await open(apiId)).end(CLOSE);

    const { calls, sums } = await reported(apiId, 1);
    expect(calls[0]).toMatchObject({
      kind: 'websocket',
      status: 101,
      outcome: 'ok',
      bytes_in: 15,
      bytes_out: 4,
    });
    expect(sums).toMatchObject({ websockets: 1, status: { '1xx': 1 }, latency: {} });
  });

  it('whose caller goes without a word counts as aborted', async () => {
    const apiId = rig.register({ base_url: raw.url });

    (await open(apiId)).destroy();
    (await open(apiId)).end();

    const { calls, sums } = await reported(apiId, 2);
    expect(calls.map(({ outcome }) => outcome)).toEqual(['aborted', 'aborted']);
    expect(sums.aborted).toBe(2);
  });

  it('that the upstream ends first has ended as it should', async () => {
    const apiId = rig.register({ base_url: raw.url });

    (await open(apiId)).write(Buffer.from([0x82, 0x80, 1, 2, 3, 4]));

    const { calls } = await reported(apiId, 1);
    expect(calls[0]).toMatchObject({ outcome: 'ok' });
  });
});
