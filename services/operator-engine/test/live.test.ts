import { ALICE, ANYBODY, catalogue, type Engine, NOON, startEngine } from './kit/engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.stop());
afterEach(() => engine.setNow(NOON));

const get = (path: string, as = ALICE) => engine.call('GET', path, { as });

describe('GET /api/zeq/state/live', () => {
  it('gives every computable operator one value, stamped with the clock', async () => {
    const { status, headers, body } = await get('/api/zeq/state/live');

    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(Object.keys(body)).toEqual(['zeqond', 'timestamp', 'phase', 'ko42', 'r', 'count', 'operators']);
    expect([body.zeqond, body.phase, body.count]).toEqual([2_000_000_000, 388 / 777, 1053]);
    expect(body.operators).toHaveLength(1053);
    expect(body.operators[0]).toEqual({ id: 'KO42', value: expect.any(Number), unit: '1' });
  });

  it('keeps its values within a Zeqond and moves the clocked ones with the next', async () => {
    const first = await get('/api/zeq/state/live');
    engine.setNow(NOON + 300);
    const same = await get('/api/zeq/state/live');
    engine.setNow(NOON + 777);
    const next = await get('/api/zeq/state/live');
    const value = (body: { operators: { id: string; value: number }[] }, id: string) =>
      body.operators.find((each) => each.id === id)!.value;

    expect(same.body.operators).toEqual(first.body.operators);
    expect(same.body.phase).not.toBe(first.body.phase);
    expect(value(next.body, 'ZTB1') - value(first.body, 'ZTB1')).toBeCloseTo(1, 5);
    expect(value(next.body, 'NM19')).toBe(value(first.body, 'NM19'));
  });

  it('is not public', async () => {
    expect((await get('/api/zeq/state/live', ANYBODY)).status).toBe(401);
  });
});

describe('GET /api/zeq/operators/:id/live', () => {
  it('states the inputs it is computed at, and the value under R(t)', async () => {
    const { body } = await get('/api/zeq/operators/NM19/live');
    const vector = catalogue.byId.get('NM19')!.record.testVectors[0]!;

    expect(body).toEqual({
      zeqond: 2_000_000_000,
      timestamp: new Date(2_000_000_000 * 777).toISOString(),
      phase: 388 / 777,
      ko42: expect.any(Number),
      r: 1 + body.ko42,
      id: 'NM19',
      value: vector.value,
      unit: 'N',
      modulated: vector.value * body.r,
      inputs: vector.params,
    });
  });

  it.each([
    ['KO2', 422, 'not_computable'],
    ['NOPE', 404, 'operator_not_found'],
  ])('answers for %s with %d', async (id, status, code) => {
    const res = await get(`/api/zeq/operators/${id}/live`);

    expect([res.status, res.body.code]).toEqual([status, code]);
  });
});

describe('a live stream', () => {
  /** Reads server-sent events until `count` have come, then leaves. */
  async function read(from: Engine, path: string, count: number) {
    const leave = new AbortController();
    const headers = { accept: 'text/event-stream', ...from.vouch(ALICE) };
    const res = await fetch(from.url + path, { headers, signal: leave.signal });
    const events: string[] = [];
    let text = '';
    for await (const chunk of res.body!.pipeThrough(new TextDecoderStream())) {
      const parts = `${text}${chunk}`.split('\n\n');
      text = parts.pop()!;
      events.push(...parts);
      if (events.length >= count) break;
    }
    leave.abort();
    return { res, events };
  }

  it.each([
    ['/api/zeq/operators/ZTB1/live', 'value'],
    ['/api/zeq/state/live', 'operators'],
  ])('at %s gives one event at once and one at every border of the clock', async (path, field) => {
    const real = await startEngine({ now: Date.now });

    const { res, events } = await read(real, path, 3);
    await real.stop();

    expect(res.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const parsed = events.slice(0, 3).map((event) => {
      const [name, id, data] = event.split('\n');
      return { name, id: Number(id!.slice('id: '.length)), data: JSON.parse(data!.slice('data: '.length)) };
    });
    expect(parsed.map(({ name }) => name)).toEqual(Array(3).fill('event: state'));
    expect(parsed.map(({ id }) => id - parsed[0]!.id)).toEqual([0, 1, 2]);
    expect(parsed.every(({ id, data }) => data.zeqond === id && data[field] !== undefined)).toBe(true);
    expect(parsed[2]!.data.phase).toBeLessThan(0.2);
  });

  it('ends when its caller is no longer known', async () => {
    let known = true;
    const real = await startEngine({
      now: Date.now,
      authenticate: async () => (known ? ALICE : ANYBODY),
    });

    const reading = read(real, '/api/zeq/operators/KO42/live', 100);
    known = false;
    const { events } = await reading;
    await real.stop();

    expect(events.length).toBeLessThan(10);
  }, 10_000);
});
