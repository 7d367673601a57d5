import { readFileSync } from 'node:fs';
import { OperatorDetails, OperatorSummary } from '@zeq/contracts';
import { buildCatalogue } from '../src/catalogue/catalogue.ts';
import { ALICE, ANYBODY, APP, catalogue, type Engine, PLATFORM, startEngine } from './kit/engine.ts';

const data = JSON.parse(readFileSync(new URL('../data/operators.json', import.meta.url), 'utf8')) as Record<
  string,
  unknown
>[];

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.stop());

const get = (path: string, as = ANYBODY, headers = {}) => engine.call('GET', path, { as, headers });

describe('loading the catalogue', () => {
  const ko1 = data.find(({ id }) => id === 'KO1')!;
  const parameters = ko1.parameters as Record<string, unknown>[];

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['a missing field', { name: undefined }, /name/],
    ['an unknown field', { note: 'x' }, /not known/],
    ['a malformed id', { id: 'ko1' }, /id/],
    ['a tier with the label of another', { tierLabel: 'Experimental' }, /tierLabel/],
    ['another tier than its category has', { tier: 2, tierLabel: 'Applied Science' }, /tier differs/],
    ['an expression that cannot be read', { expression: 'x + (' }, /cannot be read/],
    [
      'an expression with a foreign name',
      { expression: 'x + v0*t + a*t^2/2 + q' },
      /not a declared parameter/,
    ],
    ['an unused parameter', { expression: 'x + v0*t' }, /does not use/],
    ['an expression of another dimension', { expression: 'x*t + v0*t^2 + a*t^3/2' }, /result\.unit/],
    ['dimensions that do not add', { expression: 'x + v0 + a*t^2/2*t' }, /adds or subtracts/],
    [
      'a vector that does not come out',
      { testVectors: [{ params: {}, value: 1, relTol: 1e-9, source: '' }] },
      /come out/,
    ],
    ['a unit that is not coherent', { result: { symbol: 'x', unit: 'km' } }, /coherent/],
    ['a unit nobody knows', { result: { symbol: 'x', unit: 'blorp' } }, /not a unit/],
    [
      'a default outside its bounds',
      { parameters: [{ ...parameters[0], min: 1 }, ...parameters.slice(1)] },
      /default/,
    ],
    ['two parameters of one name', { parameters: [...parameters, parameters[0]] }, /one name/],
    ['a parameter named like a function', { parameters: [{ ...parameters[0], name: 'log' }] }, /function/],
    ['parameters without an expression', { expression: null }, /without an expression/],
  ])('stops at %s and names the record', (_what, change, message) => {
    const bad = { ...ko1, ...change };
    const name = typeof change.id === 'string' ? change.id : 'KO1';

    expect(() => buildCatalogue([data[0], bad])).toThrow(
      new RegExp(`record 2 \\(${name}\\).*${message.source}`),
    );
  });

  it('stops at an id given twice, and where KO42 is not the first', () => {
    expect(() => buildCatalogue([data[0], ko1, ko1])).toThrow(/record 3 \(KO1\).*taken/);
    expect(() => buildCatalogue([ko1])).toThrow(/KO42 is not the first/);
  });

  it('holds what the data says: 1146 operators, 1053 of them computable, in 70 categories', () => {
    expect(catalogue.operators).toHaveLength(1146);
    expect(catalogue.operators.filter(({ computable }) => computable !== undefined)).toHaveLength(1053);
    expect(catalogue.byCategory.size).toBe(70);
  });
});

describe('GET /api/zeq/operators', () => {
  it('shows anybody the six public fields of a page', async () => {
    const { status, body } = await get('/api/zeq/operators?limit=2');

    expect(status).toBe(200);
    expect(body).toEqual({
      total: 1146,
      page: 1,
      pages: 573,
      limit: 2,
      operators: [
        {
          id: 'KO42',
          name: 'Metric tensioner',
          description: expect.any(String),
          category: 'kinematic',
          tier: 1,
          tierLabel: 'Core Physics',
        },
        expect.objectContaining({ id: 'ZTB1' }),
      ],
    });
  });

  it('shows a machine the equations, the founder and the parameters as well', async () => {
    const { body } = await get('/api/zeq/operators/KO1', ALICE);

    expect(Object.keys(body).sort()).toEqual(Object.keys(OperatorDetails.shape).sort());
    expect(body.equation).toBe('x(t) = x0 + v0*t + (1/2)*a*t^2');
    expect(OperatorDetails.parse(body)).toEqual(body);
  });

  it('walks all pages without a gap or a double', async () => {
    const ids: string[] = [];
    for (let page = 1; page <= 3; page++) {
      const { body } = await get(`/api/zeq/operators?limit=500&page=${page}`);
      ids.push(...body.operators.map(({ id }: { id: string }) => id));
    }

    expect(ids).toEqual(catalogue.operators.map(({ id }) => id));
    expect((await get('/api/zeq/operators?page=99999')).body.operators).toEqual([]);
  });

  it('filters by category and tier, and finds words in the public fields', async () => {
    const robotics = await get('/api/zeq/operators?category=robotics');
    const experimental = await get('/api/zeq/operators?tier=4&limit=500');
    const byId = await get('/api/zeq/operators?q=nm19');
    const byWords = await get('/api/zeq/operators?q=escape%20speed');
    const both = await get('/api/zeq/operators?q=torque&category=robotics&tier=3');

    expect(robotics.body.total).toBe(10);
    expect(experimental.body.total).toBe(43);
    expect(byId.body.operators[0].id).toBe('NM19');
    expect(byWords.body.total).toBeGreaterThan(0);
    expect(both.body.operators.every(({ category }: { category: string }) => category === 'robotics')).toBe(
      true,
    );
  });

  it('finds nothing by what only an equation says', async () => {
    const word = 'cos(theta)';
    const held = catalogue.operators.some(({ record }) => record.equation.includes(word));

    const { body } = await get(`/api/zeq/operators?q=${encodeURIComponent(word)}`, ALICE);

    expect(held).toBe(true);
    expect(body.total).toBe(0);
  });

  it.each(['page=0', 'limit=501', 'tier=5', 'tier=x', 'category=NO', 'q=', 'color=red', 'page=1&page=2'])(
    'answers 400 to ?%s',
    async (query) => {
      const { status, body } = await get(`/api/zeq/operators?${query}`);

      expect([status, body.code]).toEqual([400, 'invalid_query']);
    },
  );

  it('answers 404 to an id it does not have', async () => {
    for (const id of ['NOPE', 'ko1', '__proto__', 'constructor']) {
      const { status, body } = await get(`/api/zeq/operators/${id}`);
      expect([id, status, body.code]).toEqual([id, 404, 'operator_not_found']);
    }
  });
});

describe('the caches', () => {
  it('may keep the public answer for five minutes, and ask about it by its ETag', async () => {
    const first = await get('/api/zeq/operators?limit=3');
    const again = await get('/api/zeq/operators?limit=3', ANYBODY, {
      'if-none-match': first.headers.get('etag')!,
      'cache-control': 'max-age=0', // undici's fetch would say no-cache
    });

    expect(first.headers.get('cache-control')).toBe('public, max-age=300');
    expect(first.headers.get('vary')).toMatch(/Authorization/);
    expect([again.status, again.text]).toEqual([304, '']);
  });

  it("never show one audience the other's answer", async () => {
    const open = await get('/api/zeq/operators?limit=3');
    const known = await get('/api/zeq/operators?limit=3', ALICE, {
      'if-none-match': open.headers.get('etag')!,
      'cache-control': 'max-age=0',
    });

    expect(known.status).toBe(200);
    expect(known.headers.get('cache-control')).toBe('private, no-cache');
    expect(known.headers.get('etag')).not.toBe(open.headers.get('etag'));
  });
});

describe('the platform routes', () => {
  it('give the whole catalogue, and one category, to a platform key', async () => {
    const all = await get('/api/v1/operators/all', PLATFORM);
    const one = await get('/api/v1/operators/category/robotics', PLATFORM);
    const none = await get('/api/v1/operators/category/astrology', PLATFORM);

    expect(all.body.total).toBe(1146);
    expect(all.body.operators).toHaveLength(1146);
    expect([one.body.category, one.body.count, one.body.operators.length]).toEqual(['robotics', 10, 10]);
    expect([none.status, none.body.code]).toEqual([404, 'not_found']);
  });

  it.each([
    ['/api/v1/operators/all', ANYBODY],
    ['/api/v1/operators/all', ALICE],
    ['/api/v1/operators/category/robotics', ANYBODY],
  ])('answer 401 at %s without one', async (path, as) => {
    expect((await get(path, as)).status).toBe(401);
  });
});

describe('an app token', () => {
  it('sees what the public sees', async () => {
    const { body } = await get('/api/zeq/operators/KO1', APP);

    expect(Object.keys(body).sort()).toEqual(Object.keys(OperatorSummary.shape).sort());
  });
});
