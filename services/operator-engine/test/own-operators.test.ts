import { ProblemError } from '@zeq/service-kit';
import type { OwnOperatorStore, Stores } from '../src/store/store.ts';
import { ALICE, BOB, type Engine, NOON, READER, startEngine } from './kit/engine.ts';

const parameter = (name: string, unit: string, rest: object = {}) => ({
  name,
  symbol: name,
  unit,
  description: `the ${name}`,
  default: null,
  min: null,
  max: null,
  ...rest,
});

const TAX = {
  id: 'TAX',
  name: 'Tax on a price',
  description: 'What is due on a price.',
  category: 'finance',
  equation: 'T = p*r',
  expression: 'p*r',
  parameters: [parameter('p', '1'), parameter('r', '1', { default: 0.2 })],
  result: { symbol: 'T', unit: '1' },
  testVectors: [{ params: { p: 100 }, value: 20, relTol: 1e-9, source: 'by hand' }],
};

let engine: Engine;
beforeEach(async () => {
  engine = await startEngine();
});
afterEach(() => engine.stop());

const LIST = '/api/zeq/machines/alice/operators';
const add = (body: unknown, as = ALICE) => engine.call('POST', LIST, { as, body });

describe('POST /api/zeq/machines/:slug/operators', () => {
  it('adds an operator that computes for its machine at once, and for no other', async () => {
    const added = await add(TAX);
    const mine = await engine.call('POST', '/api/zeq/operators/execute?operator=TAX', {
      as: ALICE,
      body: { params: { p: 50 } },
    });
    const live = await engine.call('GET', '/api/zeq/operators/TAX/live', { as: READER });
    const others = await engine.call('POST', '/api/zeq/operators/execute?operator=TAX', {
      as: BOB,
      body: { params: { p: 50 } },
    });

    expect(added.status).toBe(201);
    expect(added.body).toEqual({
      ...TAX,
      tier: 4,
      tierLabel: 'Experimental',
      founder: '',
      equationLaTeX: '',
      computable: true,
      provenance: 'custom',
      created_at: new Date(NOON).toISOString(),
      updated_at: new Date(NOON).toISOString(),
    });
    expect(mine.body.value).toBe(10);
    expect(live.body.value).toBe(20);
    expect([others.status, others.body.code]).toEqual([404, 'operator_not_found']);
  });

  it.each<[string, object, number, string]>([
    ['a built-in id', { id: 'KO1' }, 409, 'operator_exists'],
    ['the id of KO42', { id: 'KO42' }, 409, 'operator_exists'],
    ['a malformed id', { id: 'tax' }, 400, 'invalid_operator'],
    ['a field nobody knows', { color: 'red' }, 400, 'invalid_operator'],
    ['an expression that assigns', { expression: 'p = r' }, 400, 'invalid_operator'],
    ['an expression that reaches out', { expression: 'p*r*import(1)' }, 400, 'invalid_operator'],
    [
      'a wrong dimension',
      { parameters: [parameter('p', 'm'), parameter('r', '1')] },
      400,
      'invalid_operator',
    ],
    [
      'a unit raised to what varies',
      { expression: 'p^r', parameters: [parameter('p', 'm'), parameter('r', '1')], testVectors: [] },
      400,
      'invalid_operator',
    ],
    [
      'a vector that does not come out',
      { testVectors: [{ params: { p: 1 }, value: 1, relTol: 0.01, source: '' }] },
      400,
      'invalid_operator',
    ],
    [
      'a parameter named like a function',
      { parameters: [parameter('log', '1')], expression: 'log' },
      400,
      'invalid_operator',
    ],
  ])('refuses %s', async (_what, change, status, code) => {
    const res = await add({ ...TAX, ...change });

    expect([res.status, res.body.code]).toEqual([status, code]);
    expect(res.body.detail).not.toContain('p*r');
  });

  it('takes a unit raised to what varies when a vector tells its value', async () => {
    const res = await add({
      ...TAX,
      expression: 'p^r',
      parameters: [parameter('p', 'm'), parameter('r', '1', { default: 2 })],
      result: { symbol: 'A', unit: 'm^2' },
      testVectors: [{ params: { p: 3 }, value: 9, relTol: 1e-9, source: 'by hand' }],
    });

    expect(res.status).toBe(201);
  });

  it('answers 409 to the same id again, of which one of two at once gets through', async () => {
    const both = await Promise.all([add(TAX), add(TAX)]);
    const again = await add(TAX);

    expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
    expect(again.body.code).toBe('operator_exists');
  });

  it('takes a symbolic one, which is stated and not computed', async () => {
    const { testVectors: _vectors, ...rest } = TAX;
    await add({ ...rest, expression: null, parameters: [], result: null });

    const res = await engine.call('POST', '/api/zeq/operators/execute?operator=TAX', { as: ALICE, body: {} });

    expect([res.status, res.body.code]).toEqual([422, 'not_computable']);
  });

  it('is for an owner only', async () => {
    expect((await add(TAX, READER)).body.code).toBe('forbidden');
    expect((await add(TAX, BOB)).body.code).toBe('not_found');
  });
});

describe('the rest of its life', () => {
  it('lists, shows, replaces and removes it', async () => {
    await add(TAX);
    await add({ ...TAX, id: 'ABATE' });
    engine.setNow(NOON + 5_000);
    const { id: _id, ...rest } = TAX;

    const listed = await engine.call('GET', LIST, { as: READER });
    const replaced = await engine.call('PUT', `${LIST}/TAX`, {
      as: ALICE,
      body: { ...rest, expression: 'p*r + 1', testVectors: [] },
    });
    const shown = await engine.call('GET', `${LIST}/TAX`, { as: READER });
    const removed = await engine.call('DELETE', `${LIST}/TAX`, { as: ALICE });
    const gone = await engine.call('GET', `${LIST}/TAX`, { as: READER });

    expect(listed.body.operators.map(({ id }: { id: string }) => id)).toEqual(['ABATE', 'TAX']);
    expect(replaced.body.expression).toBe('p*r + 1');
    expect([shown.body.created_at, shown.body.updated_at]).toEqual(
      [NOON, NOON + 5_000].map((ms) => new Date(ms).toISOString()),
    );
    expect([removed.status, removed.text]).toEqual([204, '']);
    expect([gone.status, gone.body.code]).toEqual([404, 'operator_not_found']);
  });

  it.each([
    ['PUT', `${LIST}/NONE`],
    ['DELETE', `${LIST}/NONE`],
    ['GET', `${LIST}/NONE`],
  ])('answers 404 to %s of one that is not there', async (method, path) => {
    const { id: _id, ...rest } = TAX;
    const res = await engine.call(method, path, { as: ALICE, ...(method === 'PUT' && { body: rest }) });

    expect([res.status, res.body.code]).toEqual([404, 'operator_not_found']);
  });
});

describe('a store that is away', () => {
  it('stops what needs it with 503, and nothing of the built-in catalogue', async () => {
    const away = () => Promise.reject(new ProblemError('database_unavailable', 'away'));
    const operators = new Proxy({} as OwnOperatorStore, { get: () => away });
    const computations = { add: away, list: away, trim: away };
    const stores: Stores = {
      operators,
      computations,
      removeMachine: away,
      ping: away,
      close: async () => undefined,
    };
    const broken = await startEngine({ stores });

    const custom = await broken.call('GET', LIST, { as: ALICE });
    const unknown = await broken.call('POST', '/api/zeq/operators/execute?operator=TAX', {
      as: ALICE,
      body: {},
    });
    const records = await broken.call('GET', '/api/zeq/computations', { as: ALICE });
    const builtIn = await broken.call('POST', '/api/zeq/operators/execute?operator=KO1', {
      as: ALICE,
      body: { params: { x: 1 } },
    });
    const ready = await broken.call('GET', '/ready');
    await broken.stop();

    for (const res of [custom, unknown, records]) {
      expect([res.status, res.body.code, res.headers.get('retry-after')]).toEqual([
        503,
        'database_unavailable',
        '1',
      ]);
    }
    expect([builtIn.status, builtIn.body.value]).toEqual([200, 1]);
    expect([ready.status, ready.body.missing]).toEqual([503, ['store']]);
  });
});
