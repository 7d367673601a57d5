import { once } from 'node:events';
import { connect } from 'node:net';
import { ChainPage, SyncStatus, Tick as TickSchema } from '@zeq/contracts';
import { TickVerifier } from '@zeq/crypto';
import { WebSocket } from 'ws';
import { call, type EngineServer, readEvents, startEngineServer } from './harness.ts';
import { testSigner } from './memory-chain.ts';

const { platKey } = testSigner();
let engine: EngineServer;
beforeAll(async () => {
  engine = await startEngineServer();
  await untilDepth(3);
});
afterAll(() => engine.close());

async function untilDepth(depth: number): Promise<void> {
  while (engine.chain.ticks.length < depth) await new Promise((resolve) => setTimeout(resolve, 50));
}

describe('GET /health', () => {
  it('says tesc_enabled, as the seed looks for it', async () => {
    const { status, body } = await call(`${engine.url}/health`, 'GET');

    expect(status).toBe(200);
    expect(body).toEqual({
      status: 'ok',
      service: 'sync-engine',
      version: expect.any(String),
      uptime: expect.any(Number),
      tesc_enabled: true,
      connections: 0,
      frequency: 1.287,
      zeqond: expect.any(Number),
      role: 'leader',
      holding: false,
      store: 'ok',
    });
    expect((await call(`${engine.url}/sync/health`, 'GET')).body.tesc_enabled).toBe(true);
  });
});

describe('GET /sync/ticks', () => {
  it('streams verifiable ticks, each with its Zeqond as the id, of the shape in contracts', async () => {
    const { answer, events } = await readEvents(`${engine.url}/sync/ticks`, 3);

    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store, no-transform');
    expect(answer.headers.get('x-accel-buffering')).toBe('no');
    const verifier = new TickVerifier({ platKey });
    for (const { id, data } of events) {
      expect(TickSchema.parse(data)).toEqual(data);
      expect(id).toBe(data.zeqond);
      expect(verifier.accept(data)).toBeUndefined();
    }
    expect(events[1]!.data.connections).toBeGreaterThanOrEqual(1);
  });

  it('answers HEAD with a head and nothing after it, so that the connection stays usable', async () => {
    const socket = connect(Number(new URL(engine.url).port), '127.0.0.1');
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes;
    });
    socket.write('HEAD /sync/ticks HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 1_700));
    const headEnds = text.indexOf('\r\n\r\n') + 4;
    socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
    while (!text.includes('tesc_enabled')) await once(socket, 'data');
    socket.destroy();

    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text.slice(headEnds)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('speaks HTTP/1.0 too, without chunks', async () => {
    const socket = connect(Number(new URL(engine.url).port), '127.0.0.1');
    socket.write('GET /sync/ticks HTTP/1.0\r\nHost: x\r\n\r\n');
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes;
    });
    while (!/data: \{.*\}\n\n/.test(text)) await once(socket, 'data');
    socket.destroy();

    expect(text).not.toMatch(/transfer-encoding/i);
    expect(text).toMatch(/retry: 777\n\nid: \d+\ndata: \{"type":"tick"/);
  });
});

describe('/ws', () => {
  it('sends the same ticks over WebSocket', async () => {
    const socket = new WebSocket(`${engine.url.replace('http', 'ws')}/ws`);
    const ticks: unknown[] = [];
    socket.on('message', (data) => ticks.push(JSON.parse(String(data))));
    while (ticks.length < 3) await once(socket, 'message');
    socket.close();
    await once(socket, 'close');

    expect(engine.chain.ticks).toEqual(expect.arrayContaining(ticks));
  });

  it('drops a listener that sends too much, and no other', async () => {
    const [loud, quiet] = [1, 2].map(() => new WebSocket(`${engine.url.replace('http', 'ws')}/ws`));
    await Promise.all([once(loud!, 'open'), once(quiet!, 'open')]);
    loud!.on('error', () => undefined);

    loud!.send('x'.repeat(5000));
    await once(loud!, 'close');

    await once(quiet!, 'message');
    expect(quiet!.readyState).toBe(WebSocket.OPEN);
    quiet!.terminate();
  });

  it('answers 404 with a problem to an upgrade elsewhere', async () => {
    const socket = new WebSocket(`${engine.url.replace('http', 'ws')}/nowhere`);
    const [, answer] = await once(socket, 'unexpected-response');

    expect(answer.statusCode).toBe(404);
    expect(answer.headers['x-zeq-error']).toBe('not_found');
    answer.destroy();
  });
});

describe('GET /sync/status', () => {
  it('has the shape in contracts', async () => {
    const { body } = await call(`${engine.url}/sync/status`, 'GET');

    expect(SyncStatus.parse(body)).toEqual(body);
    expect(body.chain.depth).toBeGreaterThanOrEqual(3);
    expect(body.lateness_ms.samples).toBeGreaterThanOrEqual(3);
  });
});

describe('GET /sync/chain', () => {
  it('pages through everything that is stored, by depth and by Zeqond', async () => {
    const first = (await call(`${engine.url}/sync/chain?limit=2`, 'GET')).body;
    const rest = (await call(`${engine.url}/sync/chain?from=${first.next}`, 'GET')).body;
    const { zeqond } = engine.chain.ticks[1]!;
    const byTime = (await call(`${engine.url}/sync/chain?from_zeqond=${zeqond}&to_zeqond=${zeqond}`, 'GET'))
      .body;

    expect(ChainPage.parse(first)).toEqual(first);
    expect([first.first_depth, first.ticks.length, first.next]).toEqual([1, 2, 3]);
    expect([...first.ticks, ...rest.ticks]).toEqual(engine.chain.ticks.slice(0, 2 + rest.ticks.length));
    expect(rest.next).toBeNull();
    expect(byTime.ticks).toEqual([engine.chain.ticks[1]]);
    expect((await call(`${engine.url}/sync/chain?from=999999`, 'GET')).body.ticks).toEqual([]);
  });

  it.each(['from=-1', 'from=x', 'limit=1001', 'limit=0', 'nothing=1'])('answers 400 to %s', async (query) => {
    const { status, body } = await call(`${engine.url}/sync/chain?${query}`, 'GET');

    expect([status, body.code]).toEqual([400, 'invalid_query']);
  });

  it('answers 503 while the store is away, and the status still stands', async () => {
    engine.chain.fail = true;
    const answer = await call(`${engine.url}/sync/chain`, 'GET');
    const status = await call(`${engine.url}/sync/status`, 'GET');
    engine.chain.fail = false;

    expect([answer.status, answer.body.code, answer.headers.get('retry-after')]).toEqual([
      503,
      'database_unavailable',
      '1',
    ]);
    expect(status.status).toBe(200);
  });
});

describe('POST /sync/verify', () => {
  const verify = (tick: unknown, context?: string) =>
    call(`${engine.url}/sync/verify`, 'POST', {}, { tick, ...(context !== undefined && { context }) });

  it('knows every stored tick, old or new', async () => {
    const { body } = await verify(engine.chain.ticks[0]);

    expect(body).toEqual({
      valid: true,
      fault: null,
      stored: true,
      serverZeqond: expect.any(Number),
      drift: expect.any(Number),
    });
    expect(body.drift).toBeLessThan(0);
  });

  it('names what is wrong with a tick that was changed', async () => {
    const tick = engine.chain.ticks[1]!;

    expect((await verify({ ...tick, connections: 77 })).body).toMatchObject({
      valid: false,
      fault: 'signature',
      stored: false,
    });
    expect((await verify({ ...tick, ko42: 0.5 })).body).toMatchObject({ valid: false, fault: 'fields' });
    expect((await verify({ hello: 'world' })).body).toMatchObject({ valid: false, fault: 'shape' });
  });

  it('takes a fresh tick once per context, and says closed when its moment is over', async () => {
    await untilDepth(engine.chain.ticks.length + 1);
    const tick = engine.chain.ticks.at(-1)!;

    expect((await verify(tick, 'login')).body.valid).toBe(true);
    expect((await verify(tick, 'login')).body).toMatchObject({
      status: 409,
      code: 'plat_replayed',
      drift: expect.any(Number),
    });
    expect((await verify(tick, 'another')).body.valid).toBe(true);
    const closed = await verify(engine.chain.ticks[0], 'login');
    expect([closed.status, closed.body.code, closed.body.title]).toEqual([
      409,
      'zeqond_window_closed',
      'zeqond window closed',
    ]);
    expect(closed.body.serverZeqond).toEqual(expect.any(Number));
    const forged = { ...tick, connections: 9 };
    expect((await verify(forged, 'fresh')).body.code).toBe('plat_invalid');
  });
});

describe('an engine without ZEQ_SYNC_SECRET', () => {
  it('ticks, says so, and answers 503 tesc_disabled where attestation is asked for', async () => {
    const plain = await startEngineServer({ secret: false });
    const { events } = await readEvents(`${plain.url}/sync/ticks`, 1);
    const health = await call(`${plain.url}/health`, 'GET');
    const status = await call(`${plain.url}/sync/status`, 'GET');
    const chain = await call(`${plain.url}/sync/chain`, 'GET');
    await plain.close();

    expect(events[0]!.data.tesc).toBeUndefined();
    expect([health.body.tesc_enabled, health.body.role]).toEqual([false, 'plain']);
    expect(SyncStatus.parse(status.body).chain).toBeNull();
    expect([chain.status, chain.body.code]).toEqual([503, 'tesc_disabled']);
  });
});

describe('subscribers', () => {
  it('who do not read are cut off, and the others go on', async () => {
    const port = Number(new URL(engine.url).port);
    const lazy = connect(port, '127.0.0.1');
    lazy.pause();
    lazy.write('GET /sync/ticks HTTP/1.1\r\nHost: x\r\n\r\n');
    const closed = once(lazy, 'close');
    lazy.on('error', () => undefined);
    while (engine.hub.size === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const flood = Buffer.alloc(1_000_000);
    const frames = { sse_plain: flood, sse_chunked: flood, websocket: flood };
    for (let i = 0; i < 20 && engine.hub.size > 0; i += 1) await engine.hub.broadcast(frames);

    expect(engine.hub.size).toBe(0);
    expect(await engine.metrics.registry.getSingleMetricAsString('zeq_subscribers_dropped_total')).toMatch(
      / [1-9]/,
    );
    lazy.resume();
    await closed;
    const { events } = await readEvents(`${engine.url}/sync/ticks`, 1);
    expect(events).toHaveLength(1);
  });

  it('leave nothing behind', async () => {
    await readEvents(`${engine.url}/sync/ticks`, 1);
    for (let i = 0; i < 100 && engine.hub.size > 0; i += 1)
      await new Promise((resolve) => setTimeout(resolve, 20));

    expect(engine.hub.size).toBe(0);
  });
});
