import {
  ALICE,
  ANYBODY,
  APP,
  type CallOptions,
  type Engine,
  NOON,
  PLATFORM,
  READER,
  startEngine,
} from './kit/engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.stop());

const execute = (operators: string, params: unknown = {}, options: CallOptions = {}) =>
  engine.call('POST', `/api/zeq/operators/execute?operator=${operators}`, {
    as: ALICE,
    body: { params },
    ...options,
  });

describe('POST /api/zeq/operators/execute', () => {
  it('states value, unit, inputs, operators, the clock and a proof, and nothing else', async () => {
    const res = await execute('KO1', { x: 1 });

    expect(res.status).toBe(200);
    expect(res.headers.get('cache-control')).toBe('no-store');
    expect(res.body).toEqual({
      version: 1,
      id: expect.stringMatching(/^cmp_[0-9a-f]{32}$/),
      operators: ['KO42', 'KO1'],
      value: 1,
      unit: 'm',
      results: [{ operator: 'KO1', value: 1, unit: 'm' }],
      inputs: {
        KO1: {
          x: { value: 1, unit: 'm', source: 'given' },
          v0: { value: 0, unit: 'm/s', source: 'default' },
          a: { value: 0, unit: 'm/s^2', source: 'default' },
          t: { value: 0, unit: 's', source: 'default' },
        },
      },
      zeqond: 2_000_000_000,
      phase: 388 / 777,
      ko42: expect.closeTo(0.001 * Math.sin((2 * Math.PI * 388) / 777), 15),
      r: expect.closeTo(1 + 0.001 * Math.sin((2 * Math.PI * 388) / 777), 15),
      computed_at: new Date(NOON).toISOString(),
      proof: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it.each<[string, unknown, number]>([
    ['a number in the SI unit', 5, 15],
    ['a quantity', '5 kg', 15],
    ['another unit of the dimension', '5000 g', 15],
    ['a quantity in exponent form', '5e3 g', 15],
    ['a bare number as text', '5', 15],
    ['value and unit apart', { value: 0.005, unit: 'Mg' }, 15],
  ])('takes %s', async (_what, m, value) => {
    const res = await execute('NM19', { m, a: '3 m/s^2' });

    expect(res.body.value).toBeCloseTo(value, 9);
    expect(res.body.inputs.NM19.m.value).toBeCloseTo(5, 9);
  });

  it.each<[string, string, unknown, string, RegExp]>([
    [
      'a wrong dimension',
      'NM19',
      { m: '5 s', a: 1 },
      'dimension_mismatch',
      /NM19\.m: expected kg \(kg\), got s/,
    ],
    ['a unit nobody knows', 'NM19', { m: '5 blorp', a: 1 }, 'invalid_parameter', /NM19\.m/],
    ['an ambiguous unit', 'NM19', { m: '5 J/mol K', a: 1 }, 'invalid_parameter', /NM19\.m/],
    ['text that is no quantity', 'NM19', { m: 'heavy', a: 1 }, 'invalid_parameter', /NM19\.m/],
    ['a missing parameter', 'NM19', { a: 1 }, 'invalid_parameter', /NM19\.m: it is required .*unit kg/],
    ['a value below its bound', 'KO1', { t: -1 }, 'invalid_parameter', /KO1\.t: it must be at least 0 s/],
    ['another value for a constant', 'KO42', { fp: 2 }, 'invalid_parameter', /KO42\.fp: it is a constant/],
    [
      'an unknown parameter',
      'KO1',
      { y: 1 },
      'invalid_parameter',
      /it names a parameter that no operator here has/,
    ],
    ['a division by zero', 'KO32', { v1i: 1, v2i: 1, v1f: 1, v2f: 2 }, 'non_finite_result', /KO32/],
    ['the root of a negative number', 'GR36', { L0: 1, M: 1e40, r: 1 }, 'non_finite_result', /GR36/],
    ['lists of different lengths', 'NM19', { m: [1, 2], a: [1, 2, 3] }, 'invalid_parameter', /one length/],
    [
      'a value that overflows',
      'NM19',
      { m: 1e308, a: 1e308 },
      'non_finite_result',
      /NM19 has no finite real value/,
    ],
    ['a negative mass', 'GR37', { M: -1 }, 'invalid_parameter', /GR37\.M/],
  ])('answers 400 to %s and says which', async (_what, operator, params, code, detail) => {
    const res = await execute(operator, params);

    expect([res.status, res.body.code]).toEqual([400, code]);
    expect(res.body.detail).toMatch(detail);
  });

  it('answers 400 to a number that JSON can write and a double cannot hold', async () => {
    const res = await execute('KO1', {}, { rawBody: '{"params":{"x":1e999}}' });

    expect(res.status).toBe(400);
  });

  it('lets a constant be repeated', async () => {
    expect((await execute('KO42', { fp: '1.287 Hz' })).body.value).toBe(1);
  });

  it('sweeps 10,000 points, and names the first point that has no value', async () => {
    const m = Array.from({ length: 10_000 }, (_, i) => i + 1);

    const res = await execute('NM19', { m, a: 2 });
    const broken = await execute('NM19', { m: [1, 1e300], a: 1e300 });

    expect(res.body.value).toHaveLength(10_000);
    expect(res.body.value.slice(-2)).toEqual([19_998, 20_000]);
    expect(res.body.inputs.NM19.a).toEqual({ value: 2, unit: 'm/s^2', source: 'given' });
    expect(broken.body.detail).toMatch(/at point 2/);
  });

  it('answers 400 to one point more', async () => {
    const res = await execute('NM19', { m: Array(10_001).fill(1), a: 2 });

    expect([res.status, res.body.code]).toEqual([400, 'invalid_body']);
  });

  it.each<[string, string, number, string]>([
    ['an unknown operator', 'NOPE', 404, 'operator_not_found'],
    ['an id that cannot be one', 'no%20pe', 404, 'operator_not_found'],
    ['a name of the runtime', '__proto__', 404, 'operator_not_found'],
    ['an inherited name', 'constructor', 404, 'operator_not_found'],
    ['five operators', 'KO42,KO1,NM19,NM22,NM23', 400, 'too_many_operators'],
    ['four beside KO42', 'KO1,NM19,NM22,NM23', 400, 'too_many_operators'],
    ['one operator twice', 'KO1,KO1', 400, 'invalid_query'],
    ['a symbolic operator', 'KO2', 422, 'not_computable'],
    ['a symbolic operator among others', 'KO1,KO2', 422, 'not_computable'],
    ['no operator', '', 404, 'operator_not_found'],
  ])('answers %s with its status', async (_what, operators, status, code) => {
    const res = await execute(operators);

    expect([res.status, res.body.code]).toEqual([status, code]);
  });

  it('refuses to leave KO42 out', async () => {
    const res = await execute('KO1', {}, { body: { params: {}, exclude_ko42: true } });

    expect([res.status, res.body.code]).toEqual([403, 'ko42_excluded']);
  });

  it.each<[string, CallOptions, number, string]>([
    ['nobody', { as: ANYBODY }, 401, 'unauthorized'],
    ['a platform key', { as: PLATFORM }, 401, 'unauthorized'],
    ['an app token', { as: APP }, 403, 'forbidden'],
  ])('admits no %s', async (_who, options, status, code) => {
    const res = await execute('KO1', {}, options);

    expect([res.status, res.body.code]).toEqual([status, code]);
  });

  it('admits a key that may only read', async () => {
    expect((await execute('KO1', {}, { as: READER })).status).toBe(200);
  });
});

describe('a composition', () => {
  it('puts KO42 first and keeps the order of the others', async () => {
    const res = await execute('NM23,KO42,KO1', { m: 2, v: 3 });

    expect(res.body.operators).toEqual(['KO42', 'NM23', 'KO1']);
    expect(res.body.results.map(({ operator }: { operator: string }) => operator)).toEqual([
      'KO42',
      'NM23',
      'KO1',
    ]);
    expect(res.body.unit).toBe('m');
  });

  it('takes several ?operator= and the list of the body', async () => {
    const repeated = await engine.call('POST', '/api/zeq/operators/execute?operator=KO1&operator=NM19', {
      as: ALICE,
      body: { params: { m: 1, a: 1 } },
    });
    const listed = await engine.call('POST', '/api/zeq/operators/execute', {
      as: ALICE,
      body: { operators: ['KO1', 'NM19'], params: { m: 1, 'NM19.a': 1 } },
    });
    const both = await engine.call('POST', '/api/zeq/operators/execute?operator=KO1', {
      as: ALICE,
      body: { operators: ['NM19'] },
    });

    expect(repeated.body.operators).toEqual(['KO42', 'KO1', 'NM19']);
    expect(listed.body.operators).toEqual(['KO42', 'KO1', 'NM19']);
    expect([both.status, both.body.code]).toEqual([400, 'invalid_query']);
  });

  it('feeds an output to the input that bears its name', async () => {
    const res = await execute('NM19,NM22', { m: 2, a: 3, d: 4 });

    expect(res.body.value).toBe(24);
    expect(res.body.inputs.NM22.F).toEqual({ unit: 'N', source: 'output', from: 'NM19' });
  });

  it('feeds an output where it is told to, sweeps and all', async () => {
    const res = await execute('NM22,NM23', { F: [1, 2], d: 1, m: 2, 'NM23.v': 3 });
    const told = await execute('NM19,NM22', { m: [1, 2], a: 3, d: 4, F: { from: 'NM19' } });

    expect(res.status).toBe(200);
    expect(told.body.value).toEqual([12, 24]);
  });

  it('sweeps 10,000 points through three operators', async () => {
    const m = Array.from({ length: 10_000 }, (_, i) => i + 0.123456789);

    const res = await execute('NM19,NM22,NM23', { m, a: 3, d: 4, v: 5 });
    const verified = await engine.call('POST', '/api/zeq/verify', { rawBody: res.text });

    expect(res.body.results.map(({ value }: { value: number[] }) => value.length)).toEqual([
      10_000, 10_000, 10_000,
    ]);
    expect(verified.body.valid).toBe(true);
  });

  it.each<[string, string, unknown, string]>([
    ['of another dimension', 'NM19,NM22', { m: 1, a: 1, F: 1, d: { from: 'NM19' } }, 'dimension_mismatch'],
    [
      'of an operator that comes later',
      'NM22,NM19',
      { m: 1, a: 1, d: 1, F: { from: 'NM19' } },
      'invalid_parameter',
    ],
    ['of an operator that is not there', 'NM22', { d: 1, F: { from: 'NM19' } }, 'invalid_parameter'],
  ])('refuses an output %s', async (_what, operators, params, code) => {
    const res = await execute(operators, params);

    expect([res.status, res.body.code]).toEqual([400, code]);
  });

  it("keeps KO42 to itself: another operator's t does not move it, and the clock gives it its time", async () => {
    const res = await execute('KO42,KO1', { t: 4, v0: 1 });
    const phaseSeconds = 0.388;

    expect(res.body.inputs.KO42.t).toEqual({ value: phaseSeconds, unit: 's', source: 'clock' });
    expect(res.body.results[0].value).toBeCloseTo(
      1 + 0.00129 * Math.sin(2 * Math.PI * 1.287 * phaseSeconds),
      12,
    );
    expect(res.body.value).toBe(4);
  });

  it('does not change a physical value by its stamp', async () => {
    engine.setNow(NOON - 200);
    const early = await execute('NM19', { m: 2, a: 3 });
    engine.setNow(NOON + 100);
    const late = await execute('NM19', { m: 2, a: 3 });
    engine.setNow(NOON);

    expect(early.body.r).not.toBe(late.body.r);
    expect([early.body.value, late.body.value]).toEqual([6, 6]);
  });
});

describe('GET /api/zeq/computations', () => {
  it('lists what a machine computed, newest first, page by page, and nothing of another machine', async () => {
    for (const x of [1, 2, 3]) {
      engine.setNow(NOON + x * 1000);
      await execute('KO1', { x });
    }
    engine.setNow(NOON);

    const page = await engine.call('GET', '/api/zeq/computations?limit=2', { as: ALICE });
    const rest = await engine.call('GET', `/api/zeq/computations?limit=1&before=${page.body.next}`, {
      as: ALICE,
    });

    expect(page.body.computations.map(({ value }: { value: number }) => value)).toEqual([3, 2]);
    expect(rest.body.computations).toEqual([
      {
        id: expect.any(String),
        operators: ['KO42', 'KO1'],
        value: 1,
        unit: 'm',
        points: 1,
        zeqond: 2_000_000_001,
        computed_at: new Date(NOON + 1000).toISOString(),
        proof: expect.any(String),
      },
    ]);
  });
});
