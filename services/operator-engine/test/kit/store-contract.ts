import type { OperatorRecord } from '../../src/catalogue/operator.ts';
import type { KeptComputation, Stores } from '../../src/store/store.ts';

const A = 'mch_aaaaaaaaaaaaaaaaaaaaaa';
const B = 'mch_bbbbbbbbbbbbbbbbbbbbbb';
const T = Date.UTC(2030, 0, 1);

export const record = (id: string, change: Partial<OperatorRecord> = {}): OperatorRecord => ({
  id,
  name: 'A ratio',
  description: 'One by another.',
  category: 'mathematics',
  tier: 4,
  tierLabel: 'Experimental',
  founder: '',
  equation: 'q = a/b',
  equationLaTeX: '',
  expression: 'a/b',
  parameters: ['a', 'b'].map((name) => ({
    name,
    symbol: name,
    unit: '1',
    description: name,
    default: null,
    min: 1e-100,
    max: null,
  })),
  result: { symbol: 'q', unit: '1' },
  testVectors: [{ params: { a: 1, b: 4 }, value: 0.25, relTol: 1e-9, source: 'by hand' }],
  provenance: 'custom',
  ...change,
});

const stored = (machineId: string, id: string) => ({
  machineId,
  record: record(id),
  createdAt: new Date(T),
  updatedAt: new Date(T),
});

export const kept = (
  machineId: string,
  n: number,
  change: Partial<KeptComputation> = {},
): KeptComputation => ({
  id: `cmp_${machineId.at(-1)}${String(n).padStart(31, '0')}`,
  machineId,
  operators: ['KO42', 'KO1'],
  value: n,
  unit: 'm',
  points: 1,
  zeqond: 2_000_000_000 + n,
  computedAt: new Date(T + n * 1000),
  proof: 'ab'.repeat(32),
  ...change,
});

/** What every store promises, whatever lies below it. `open` gives an empty one. */
export function storeContract(
  name: string,
  open: () => Promise<{ stores: Stores; remove: () => Promise<void> }>,
): void {
  describe(`the stores on ${name}`, () => {
    let stores: Stores;
    let remove: () => Promise<void>;
    beforeEach(async () => {
      ({ stores, remove } = await open());
    });
    afterEach(async () => {
      await stores.close();
      await remove();
    });

    describe('operators', () => {
      it('gives back exactly what was put in, to its machine', async () => {
        await stores.operators.insert(stored(A, 'ONE'));

        expect(await stores.operators.find(A, 'ONE')).toEqual(stored(A, 'ONE'));
        expect(await stores.operators.find(B, 'ONE')).toBeUndefined();
        expect(await stores.operators.find(A, 'TWO')).toBeUndefined();
      });

      it('keeps one of an id per machine, and one of two at once', async () => {
        const twice = await Promise.allSettled([1, 2].map(() => stores.operators.insert(stored(A, 'ONE'))));
        await stores.operators.insert(stored(B, 'ONE'));

        expect(twice.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
        await expect(stores.operators.insert(stored(A, 'ONE'))).rejects.toMatchObject({
          code: 'operator_exists',
        });
        expect(await stores.operators.count(A)).toBe(1);
      });

      it('lists by id, and nothing of another machine', async () => {
        for (const id of ['C', 'A', 'B-1', 'B_2']) await stores.operators.insert(stored(A, id));
        await stores.operators.insert(stored(B, 'Z'));

        expect((await stores.operators.list(A)).map((each) => each.record.id)).toEqual([
          'A',
          'B-1',
          'B_2',
          'C',
        ]);
        expect(await stores.operators.list('mch_cccccccccccccccccccccc')).toEqual([]);
      });

      it('replaces the record and keeps when it was created', async () => {
        await stores.operators.insert(stored(A, 'ONE'));
        const later = new Date(T + 5_000);
        const changed = record('ONE', { name: 'Another' });

        const replaced = await stores.operators.replace(A, changed, later);

        const wanted = { machineId: A, record: changed, createdAt: new Date(T), updatedAt: later };
        expect(replaced).toEqual(wanted);
        expect(await stores.operators.find(A, 'ONE')).toEqual(wanted);
        expect(await stores.operators.replace(B, changed, later)).toBeUndefined();
        expect(await stores.operators.count(B)).toBe(0);
      });

      it('removes once, and only from its machine', async () => {
        await stores.operators.insert(stored(A, 'ONE'));

        expect(await stores.operators.remove(B, 'ONE')).toBe(false);
        expect(await stores.operators.remove(A, 'ONE')).toBe(true);
        expect(await stores.operators.remove(A, 'ONE')).toBe(false);
      });

      it('keeps names that databases give a meaning to', async () => {
        const odd = record('ODD', {
          description: '$where: {a.b} \u0000 ñ 漢',
          testVectors: [
            { params: { a: 1, b: 4, constructor: 1 }, value: 0.25, relTol: 1e-9, source: '$set' },
          ],
        });
        await stores.operators.insert({ ...stored(A, 'ODD'), record: odd });

        expect((await stores.operators.find(A, 'ODD'))?.record).toEqual(odd);
      });
    });

    describe('computations', () => {
      it('gives them newest first, page by page, to their machine', async () => {
        await stores.computations.add([3, 1, 5, 2, 4].map((n) => kept(A, n)));
        await stores.computations.add([kept(B, 9)]);

        const first = await stores.computations.list(A, { limit: 2 });
        const second = await stores.computations.list(A, { limit: 2, before: first.at(-1)!.id });
        const third = await stores.computations.list(A, { limit: 2, before: second.at(-1)!.id });

        expect([first, second, third].map((page) => page.map(({ value }) => value))).toEqual([
          [5, 4],
          [3, 2],
          [1],
        ]);
        expect(first[0]).toEqual(kept(A, 5));
        expect(await stores.computations.list(A, { limit: 2, before: kept(B, 9).id })).toEqual([]);
      });

      it('loses none that happened at the same moment', async () => {
        const moment = { computedAt: new Date(T) };
        await stores.computations.add([1, 2, 3, 4, 5].map((n) => kept(A, n, moment)));
        const seen: string[] = [];
        for (let before: string | undefined; ; before = seen.at(-1)) {
          const page = await stores.computations.list(A, { limit: 2, before });
          if (page.length === 0) break;
          seen.push(...page.map(({ id }) => id));
        }

        expect(new Set(seen).size).toBe(5);
        expect(seen).toHaveLength(5);
      });

      it('keeps null for a sweep, and adds the same batch twice without harm', async () => {
        const batch = [kept(A, 1, { value: null, points: 10_000 }), kept(A, 2)];
        await stores.computations.add(batch);
        await stores.computations.add(batch);

        expect(await stores.computations.list(A, { limit: 10 })).toEqual([batch[1], batch[0]]);
      });

      it('drops what is old, and the oldest beyond a number', async () => {
        await stores.computations.add([1, 2, 3, 4, 5].map((n) => kept(n % 2 === 0 ? A : B, n)));

        await stores.computations.trim(new Date(T + 2_000), 100);
        const afterAge = [
          ...(await stores.computations.list(A, { limit: 9 })),
          ...(await stores.computations.list(B, { limit: 9 })),
        ];
        await stores.computations.trim(new Date(T), 2);
        const afterCount = [
          ...(await stores.computations.list(A, { limit: 9 })),
          ...(await stores.computations.list(B, { limit: 9 })),
        ];

        expect(afterAge.map(({ value }) => value)).toEqual([4, 2, 5, 3]);
        expect(afterCount.map(({ value }) => value)).toEqual([4, 5]);
      });
    });

    it('forgets a removed machine and nobody else', async () => {
      for (const machine of [A, B]) {
        await stores.operators.insert(stored(machine, 'ONE'));
        await stores.computations.add([kept(machine, 1)]);
      }

      await stores.removeMachine(A);

      expect([await stores.operators.count(A), await stores.operators.count(B)]).toEqual([0, 1]);
      expect(await stores.computations.list(A, { limit: 1 })).toEqual([]);
      expect(await stores.computations.list(B, { limit: 1 })).toHaveLength(1);
    });

    it('says that it is there', async () => {
      await expect(stores.ping()).resolves.toBeUndefined();
    });
  });
}
