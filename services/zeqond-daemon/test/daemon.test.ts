import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plainTick, zeqondOf } from '@zeq/crypto';
import { buildLogger, buildMetrics, buildServer, systemTime } from '@zeq/service-kit';
import { buildApp } from '../src/app.ts';
import { Daemon } from '../src/daemon.ts';
import { Witness } from '../src/witness.ts';
import { signerFrom, TestChain } from './chains.ts';

const log = buildLogger('test', 'silent');
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const urlOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** An engine that says what a test tells it to. */
async function fakeEngine() {
  const chain = new TestChain('http://engine', signerFrom(), zeqondOf(Date.now())); // a daemon waits for a clock that is behind
  const listeners = new Set<ServerResponse>();
  const server = createServer(async (req, res) => {
    if (req.url === '/sync/ticks') {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.flushHeaders();
      return void listeners.add(res);
    }
    const query = new URL(req.url!, 'http://x').searchParams;
    res.end(JSON.stringify(await chain.page(Number(query.get('from')), Number(query.get('to')))));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const say = (message: unknown) => {
    for (const res of listeners) res.write(`id: 1\ndata: ${JSON.stringify(message)}\n\n`);
  };
  const untilHeard = async () => {
    while (listeners.size === 0) await sleep(10);
  };
  return { chain, url: urlOf(server), say, untilHeard, drop: () => server.closeAllConnections() };
}

async function startDaemon(engines: string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'zeq-daemon-test-'));
  const witness = await Witness.open(folder, log);
  const daemon = new Daemon({ engines, witness, time: systemTime, log });
  const server = buildServer(buildApp({ daemon, witness, metrics: buildMetrics('test'), log }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  daemon.start();
  cleanups.push(async () => {
    await daemon.stop();
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });
  const get = async (path: string) => {
    const answer = await fetch(urlOf(server) + path);
    // biome-ignore lint/suspicious/noExplicitAny: tests look at any answer
    const body: any = await answer.json();
    return { status: answer.status, body };
  };
  return { daemon, witness, url: urlOf(server), get };
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 300 && !condition(); i += 1) await sleep(20);
  expect(condition()).toBe(true);
}

describe('the daemon', () => {
  it('ticks on its own clock while no engine was ever heard, and says so', async () => {
    const { get, url } = await startDaemon(['http://127.0.0.1:9']);
    const answer = await fetch(`${url}/zeqond/ticks`);
    const reader = answer.body!.getReader();
    let text = '';
    while (!text.includes('"source"')) text += new TextDecoder().decode((await reader.read()).value);
    await reader.cancel();
    const { body } = await get('/zeqond/now');

    expect(body).toEqual({
      zeqond: expect.any(Number),
      phase: expect.any(Number),
      phaseRadians: expect.any(Number),
      timestamp: expect.any(Number),
      ko42: expect.any(Number),
      r_t: expect.any(Number),
      state: 'local',
      synchronized: false,
    });
    expect(Math.abs(body.zeqond - zeqondOf(Date.now()))).toBeLessThanOrEqual(1);
    const tick = JSON.parse(/data: (.*)\n/.exec(text)![1]!);
    expect(tick).toMatchObject({ type: 'tick', source: 'zeqond-daemon', state: 'local', frequency: 1.287 });
  });

  it('follows an engine, holds over when it is away, and comes back', async () => {
    const engine = await fakeEngine();
    const { daemon, get } = await startDaemon([engine.url]);
    await engine.untilHeard();
    for (const tick of engine.chain.grow(3)) engine.say(tick);

    await until(() => daemon.state === 'synchronized');
    const { body } = await get('/zeqond/status');
    expect(body.chain).toMatchObject({ uid: 'genesis-node', depth: 3 });
    expect(body.engines).toEqual([
      { url: engine.url, connected: true, holding: false, last_message: expect.any(String) },
    ]);
    expect(body.witness).toEqual({ depth: 3, heads_kept: 1 });
    expect(body.faults).toEqual([]);
    const pulses = daemon.pulses;
    engine.drop();
    await until(() => daemon.state === 'holdover');
    await until(() => daemon.pulses > pulses);
    expect((await get('/zeqond/now')).body).toMatchObject({ state: 'holdover', synchronized: false });
    await until(() => daemon.status().engines[0]!.connected);
    for (const tick of engine.chain.grow(2)) engine.say(tick);
    await until(() => daemon.state === 'synchronized');
  }, 20_000);

  it('shows a fault in health, readiness and status from then on', async () => {
    const engine = await fakeEngine();
    const { witness, get } = await startDaemon([engine.url]);
    await engine.untilHeard();
    const [one, two, three] = engine.chain.grow(3);
    engine.say(one!);
    engine.say({ ...two!, connections: 5 });
    await until(() => witness.faults.length === 1);
    engine.say(two!);
    engine.say(three!);

    await until(() => witness.head?.tesc.depth === 3);

    expect((await get('/health')).body).toEqual({
      status: 'ok',
      service: 'zeqond-daemon',
      version: expect.any(String),
      uptime: expect.any(Number),
      pulse_count: expect.any(Number),
      tesc_enabled: true,
      state: 'synchronized',
      faults: ['signature'],
    });
    expect(await get('/ready')).toMatchObject({
      status: 503,
      body: { missing: [expect.stringContaining('signature')] },
    });
    expect((await get('/zeqond/status')).body.faults[0].detail).toBe(
      'the signature of a tick does not verify',
    );
  });

  it('is not moved by plain ticks once it has seen attested ones', async () => {
    const engine = await fakeEngine();
    const { daemon } = await startDaemon([engine.url]);
    await engine.untilHeard();
    engine.say(engine.chain.grow(1)[0]!);
    await until(() => daemon.state === 'synchronized');
    const samples = daemon.status().clock.samples;

    for (let i = 0; i < 5; i += 1)
      engine.say(plainTick({ timestampMs: Date.now() + 3_600_000, connections: 0 }));
    await sleep(200);

    expect(daemon.status().clock.samples).toBe(samples);
  });

  it('follows the time of an engine that attests nothing, and says that it is not attested', async () => {
    const engine = await fakeEngine();
    const { daemon, get } = await startDaemon([engine.url]);
    await engine.untilHeard();
    engine.say(plainTick({ timestampMs: Date.now(), connections: 0 }));

    await until(() => daemon.state === 'synchronized');

    expect((await get('/health')).body.tesc_enabled).toBe(false);
    expect((await get('/zeqond/status')).body).toMatchObject({ attested: false, chain: null });
  });

  it('tells that an engine holds', async () => {
    const engine = await fakeEngine();
    const { daemon } = await startDaemon([engine.url]);
    await engine.untilHeard();
    engine.say({ type: 'hold', reason: 'clock_back', zeqond: 1, behind_ms: 5, timestamp: 1 });

    await until(() => daemon.status().engines[0]!.holding);
  });

  it('survives whatever an engine says', async () => {
    const engine = await fakeEngine();
    const { daemon, get } = await startDaemon([engine.url]);
    await engine.untilHeard();
    for (const message of [
      {},
      { type: 'tick' },
      { type: 'tick', tesc: null },
      { type: 'tick', tesc: {} },
      null,
      7,
      'tick',
      [],
      { type: 'hold' },
    ])
      engine.say(message);
    await sleep(200);

    expect((await get('/health')).status).toBe(200);
    expect(daemon.pulses).toBeGreaterThanOrEqual(0);
  });
});
