import { OPERATOR_ID, OperatorSummary, ROUTES } from '@zeq/contracts';
import {
  ALICE,
  ANYBODY,
  APP,
  BOB,
  catalogue,
  type Engine,
  PLATFORM,
  READER,
  startEngine,
} from './kit/engine.ts';

const own = {
  id: 'SECRET_RATIO',
  name: 'A ratio',
  description: 'What is left of a thing.',
  category: 'newtonian',
  equation: 'q = zebra/yak',
  expression: 'zebra/yak',
  parameters: ['zebra', 'yak'].map((name) => ({
    name,
    symbol: name,
    unit: 'm',
    description: name,
    default: null,
    min: null,
    max: null,
  })),
  result: { symbol: 'q', unit: '1' },
};

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
  await engine.call('POST', '/api/zeq/machines/alice/operators', { as: ALICE, body: own });
});
afterAll(() => engine.stop());

const PUBLIC_FIELDS = Object.keys(OperatorSummary.shape).sort();
const table = ROUTES.filter(({ service }) => service === 'operator-engine');

/** Paths that exist, for every route of the table. */
const pathOf = (path: string) =>
  path
    .replace(':slug', 'alice')
    .replace(':category', 'robotics')
    .replace(/:id/, path.includes('machines') ? 'SECRET_RATIO' : 'NM21');

/** Every object inside a value that looks like an operator. */
function operatorsIn(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(operatorsIn);
  const { id } = value as { id?: unknown };
  return typeof id === 'string' && OPERATOR_ID.test(id)
    ? [value as Record<string, unknown>, ...inner]
    : inner;
}

/** Every name and every text inside a value. */
function wordsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => [name, ...wordsIn(each)]);
}

/** What must not be found in what anybody may read: formulas, and what gives them away. */
const GUARDED = catalogue.operators.flatMap(({ record }) => {
  const { equation, equationLaTeX, expression, description, name } = record;
  return [equation, equationLaTeX, expression].filter(
    (text): text is string =>
      text !== null && text.length > 8 && !description.includes(text) && !name.includes(text),
  );
});

describe('what anybody can read', () => {
  it('has six fields per operator and no other, on every route and every page', async () => {
    const fields = new Set<string>();
    let operators = 0;
    for (const path of ['/api/zeq/operators?limit=500&page=1', '2', '3'].map((page) =>
      page.length === 1 ? `/api/zeq/operators?limit=500&page=${page}` : page,
    )) {
      const { body } = await engine.call('GET', path);
      for (const operator of operatorsIn(body)) {
        operators += 1;
        for (const field of Object.keys(operator)) fields.add(field);
      }
    }

    expect(operators).toBe(1146);
    expect([...fields].sort()).toEqual(PUBLIC_FIELDS);
  });

  it('holds no equation, expression or parameter, one operator by one', async () => {
    for (const { id } of catalogue.operators.filter((_, i) => i % 10 === 0)) {
      const { body } = await engine.call('GET', `/api/zeq/operators/${id}`);
      expect(Object.keys(body).sort()).toEqual(PUBLIC_FIELDS);
    }
  });

  it.each([
    ['nobody', ANYBODY],
    ['an app token', APP],
  ])('holds none of them in any answer or error of any route to %s', async (_who, as) => {
    const texts: string[] = [];
    for (const { method, path } of table) {
      for (const body of method === 'GET' || method === 'DELETE'
        ? [undefined]
        : [{}, { params: { zebra: 1 } }, { query: 'force' }]) {
        const res = await engine.call(method, pathOf(path), { as, body });
        texts.push(res.text);
        const named = wordsIn(res.body).filter((word) =>
          [
            'equation',
            'equationLaTeX',
            'founder',
            'expression',
            'parameters',
            'testVectors',
            'result',
            'inputs',
          ].includes(word),
        );
        expect([method, path, named]).toEqual([method, path, []]);
        expect(
          operatorsIn(res.body).every((each) =>
            Object.keys(each).every((key) => PUBLIC_FIELDS.includes(key)),
          ),
        ).toBe(true);
      }
    }
    const all = texts.join('\n');

    expect(GUARDED.length).toBeGreaterThan(2000);
    expect(GUARDED.filter((formula) => all.includes(JSON.stringify(formula).slice(1, -1)))).toEqual([]);
  });

  it('holds no formula in the schemas and summaries of the routes', () => {
    const text = JSON.stringify(table.map(({ summary, path, tag }) => [summary, path, tag]));

    expect(GUARDED.filter((formula) => text.includes(formula))).toEqual([]);
  });
});

describe('what each caller may use', () => {
  it('is what the table of routes says, for every route and every caller', async () => {
    const callers = {
      nobody: ANYBODY,
      platform: PLATFORM,
      owner: ALICE,
      reader: READER,
      stranger: BOB,
      app: APP,
    };
    const allowed: Record<string, readonly string[]> = {
      public: ['nobody', 'platform', 'owner', 'reader', 'stranger', 'app'],
      optional: ['nobody', 'platform', 'owner', 'reader', 'stranger', 'app'],
      platform: ['platform'],
      bearer: ['owner', 'reader', 'stranger'],
      reader: ['owner', 'reader'],
      owner: ['owner'],
    };
    const wrong: string[] = [];
    for (const { method, path, audience } of table) {
      for (const [who, as] of Object.entries(callers)) {
        if (method === 'DELETE' && who === 'owner') continue; // it would work
        const { status } = await engine.call(method, pathOf(path), {
          as,
          ...(method === 'GET' ? {} : { body: {} }),
        });
        const refused = status === 401 || status === 403 || (status === 404 && path.includes(':slug'));
        if (refused === allowed[audience]!.includes(who)) wrong.push(`${method} ${path} ${who}: ${status}`);
      }
    }

    expect(wrong).toEqual([]);
  });

  it("hides a machine's own operator from everybody else", async () => {
    const [mine, stranger, nobody] = await Promise.all(
      [ALICE, BOB, ANYBODY].map((as) => engine.call('GET', '/api/zeq/operators/SECRET_RATIO', { as })),
    );

    expect([mine!.status, stranger!.status, nobody!.status]).toEqual([200, 404, 404]);
    expect(mine!.headers.get('cache-control')).toBe('no-store');
  });

  it('logs neither keys nor formulas', async () => {
    await engine.call('GET', '/api/zeq/operators', {
      headers: { authorization: `Bearer zsm_${'C'.repeat(43)}` },
    });
    const log = engine.logged.join('');

    expect(log).not.toContain('CCCCC');
    expect(log).not.toContain('zebra');
    expect(log).toContain('"route":"/api/zeq/operators"');
  });
});
