import { ALICE, type Engine, startEngine } from './kit/engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.stop());

const post = (path: 'parse' | 'run' | 'strict', body: unknown) =>
  engine.call('POST', `/api/7step/${path}`, { as: ALICE, body });

describe('POST /api/7step/parse', () => {
  it('reads operators, inputs with units, and what is missing', async () => {
    const { body } = await post('parse', { query: 'What force accelerates a mass of 5000 g at 3 m/s^2?' });

    expect(body).toEqual({
      domain: 'newtonian',
      confidence: expect.any(Number),
      operators: ['KO42', 'NM19'],
      candidates: expect.any(Array),
      inputs: [
        { operator: 'NM19', name: 'm', value: 5, unit: 'kg', how: 'words' },
        { operator: 'NM19', name: 'a', value: 3, unit: 'm/s^2', how: 'dimension' },
      ],
      missing: [],
      warnings: [],
      source: 'rules',
    });
    expect(body.candidates[0]).toEqual({ id: 'NM19', name: expect.any(String), score: expect.any(Number) });
    expect(body.confidence).toBeGreaterThan(0.3);
  });

  it.each<[string, string, Record<string, number>]>([
    ['kinetic energy of a 1200 kg car at 100 km/h', 'KO22', { m: 1200, v: 100 / 3.6 }],
    ['speedup by Amdahl law f=0.83, n=16', 'CS46', { f: 0.83, n: 16 }],
    ['ohm law voltage for 2 A and 10 ohm', 'EM_OHM', { I: 2, R: 10 }],
    ['ideal gas pressure of 2 mol at 25 °C in 10 L', 'TH2', { n: 2, T: 298.15, V: 0.01 }],
    ['photon energy at 500 nm', 'OP5', { lam: 5e-7 }],
    ['Hohmann transfer from 7000 km to 42164 km', 'HOHMANN_TRANSFER', { r1: 7e6, r2: 42_164_000 }],
    [
      'escape velocity, Earth mass 5.972 x 10^24 kg, radius 6371 km',
      'ORBIT_ESCAPE',
      { M: 5.972e24, r: 6_371_000 },
    ],
    ['NM19 with m = 5 kg and a = 3 metres per second squared', 'NM19', { m: 5, a: 3 }],
  ])('reads "%s"', async (query, operator, inputs) => {
    const { body } = await post('parse', { query });

    expect(body.operators).toEqual(['KO42', operator]);
    const read = Object.fromEntries(
      body.inputs.map(({ name, value }: { name: string; value: number }) => [name, value]),
    );
    expect(Object.keys(read).sort()).toEqual(Object.keys(inputs).sort());
    for (const [name, value] of Object.entries(inputs)) expect(read[name]).toBeCloseTo(value, 6);
  });

  it('gives the same answer every time', async () => {
    const query = 'energy of a wave with 3 Hz';
    const [first, second] = await Promise.all([post('parse', { query }), post('parse', { query })]);

    expect(first.text).toBe(second.text);
  });

  it('names what the text leaves out, and invents no operator', async () => {
    const half = await post('parse', { query: 'NM19 with m = 5 kg' });
    const nothing = await post('parse', { query: 'xyzzy plugh' });

    expect(half.body.missing.map(({ name }: { name: string }) => name)).toEqual(['a']);
    expect(nothing.body).toEqual({
      domain: null,
      confidence: 0,
      operators: ['KO42'],
      candidates: [],
      inputs: [],
      missing: [],
      warnings: ['no operator fits these words'],
      source: 'rules',
    });
  });
});

describe('POST /api/7step/run', () => {
  it('goes from words to a proved result and keeps a record of seven steps', async () => {
    const { status, body } = await post('run', {
      query: 'What force accelerates a mass of 5 kg at 3 m/s^2?',
    });
    const verified = await engine.call('POST', '/api/zeq/verify', { body: body.computation });

    expect(status).toBe(200);
    expect(Object.keys(body).sort()).toEqual(['computation', 'degraded', 'domain', 'precision', 'steps']);
    expect([body.computation.value, body.computation.unit]).toEqual([15, 'N']);
    expect(body.computation.operators).toEqual(['KO42', 'NM19']);
    expect(body.steps.map(({ step, ok }: { step: number; ok: boolean }) => [step, ok])).toEqual(
      [1, 2, 3, 4, 5, 6, 7].map((step) => [step, true]),
    );
    expect(body.steps[0].notes.join()).toMatch(/NM19\.m, NM19\.a/);
    expect(verified.body.valid).toBe(true);
  });

  it('adds KO42, leaves out what is too many, fills in defaults and outputs, and says so', async () => {
    const { body } = await post('run', {
      operators: ['NM19', 'NM22', 'KO1', 'NM23'],
      params: { m: 2, a: 3, d: 4 },
    });
    const notes = body.steps.flatMap(({ notes: each }: { notes: string[] }) => each);

    expect(body.computation.operators).toEqual(['KO42', 'NM19', 'NM22', 'KO1']);
    expect(notes).toEqual([
      'KO42 was put first',
      '1 operators were left out: a computation has at most 4',
      'NM22: theta taken from the defaults',
      'NM22.F is the result of NM19',
      'KO1: x, v0, t taken from the defaults',
      'a second evaluator gives the same values',
    ]);
  });

  it('lets what is given outright win over the text', async () => {
    const { body } = await post('run', { query: 'NM19 with m = 5 kg and a = 3 m/s^2', params: { m: 10 } });

    expect(body.computation.value).toBe(30);
  });

  it('marks a result as degraded when a wider bound is asked for', async () => {
    const { body } = await post('run', { operators: ['KO1'], precision: 0.01 });

    expect(body.degraded).toBe(true);
    expect(body.precision).toBeLessThanOrEqual(0.001);
  });

  it.each<[string, unknown, number, string, number]>([
    ['KO42 excluded', { operators: ['KO1'], exclude_ko42: true }, 403, 'ko42_excluded', 1],
    ['words that fit nothing', { query: 'xyzzy' }, 412, 'step_failed', 2],
    ['an unknown operator', { operators: ['NOPE'] }, 404, 'operator_not_found', 3],
    ['a symbolic operator', { operators: ['KO2'] }, 422, 'not_computable', 5],
    ['a missing input', { operators: ['NM19'], params: { m: 1 } }, 400, 'invalid_parameter', 3],
    [
      'a result that is none',
      { operators: ['GR36'], params: { L0: 1, M: 1e40, r: 1 } },
      400,
      'non_finite_result',
      6,
    ],
  ])('names the step at which %s fails', async (_what, body, status, code, step) => {
    const res = await post('run', body);

    expect([res.status, res.body.code, res.body.step]).toEqual([status, code, step]);
  });
});

describe('POST /api/7step/strict', () => {
  it('computes what is complete', async () => {
    const { status, body } = await post('strict', {
      operators: ['KO42', 'NM21'],
      params: { m1: '5.972e24 kg', m2: 1000, r: '6780 km' },
    });

    expect(status).toBe(200);
    expect(body.computation.value).toBeCloseTo(8670.94, 2);
    expect(body.steps).toHaveLength(7);
  });

  it.each<[string, unknown, number, string, number]>([
    ['KO42 is not first', { operators: ['KO1', 'KO42'] }, 412, 'step_failed', 1],
    ['KO42 is missing', { operators: ['KO1'] }, 412, 'step_failed', 1],
    ['KO42 is excluded', { operators: ['KO1'], exclude_ko42: true }, 403, 'ko42_excluded', 1],
    ['KO42 is alone', { operators: ['KO42'] }, 412, 'step_failed', 2],
    ['there are five', { operators: ['KO42', 'KO1', 'NM19', 'NM22', 'NM23'] }, 400, 'too_many_operators', 2],
    ['one is unknown', { operators: ['KO42', 'NOPE'] }, 404, 'operator_not_found', 3],
    ['the precision is too wide', { operators: ['KO42', 'KO1'], precision: 0.01 }, 412, 'step_failed', 4],
    ['one is symbolic', { operators: ['KO42', 'KO2'] }, 422, 'not_computable', 5],
    [
      'a default would have to be taken',
      { operators: ['KO42', 'KO1'], params: { x: 1 } },
      400,
      'invalid_parameter',
      3,
    ],
    [
      'an output would have to be taken',
      { operators: ['KO42', 'NM19', 'NM22'], params: { m: 1, a: 1, d: 1 } },
      400,
      'invalid_parameter',
      3,
    ],
    [
      'an input is no number',
      { operators: ['KO42', 'NM19'], params: { m: 'x', a: 1 } },
      400,
      'invalid_parameter',
      3,
    ],
  ])('names the step at which it stops when %s', async (_what, body, status, code, step) => {
    const res = await post('strict', body);

    expect([res.status, res.body.code, res.body.step]).toEqual([status, code, step]);
  });

  it('takes no words', async () => {
    const res = await post('strict', { query: 'force of 5 kg' });

    expect([res.status, res.body.code]).toEqual([400, 'invalid_body']);
  });
});
