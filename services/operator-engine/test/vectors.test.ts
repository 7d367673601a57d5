import { isWithin } from '../src/catalogue/operator.ts';
import { ALICE, catalogue, type Engine, startEngine } from './kit/engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.stop());

const vectors = catalogue.operators.flatMap(({ id, record }) =>
  record.testVectors.map((vector, index) => ({ id, index, vector, unit: record.result?.unit })),
);
const symbolic = catalogue.operators.filter(({ computable }) => computable === undefined).map(({ id }) => id);

describe('POST /api/zeq/operators/execute', () => {
  it('gives the value and the unit of every test vector of the catalogue', async () => {
    const wrong: string[] = [];
    for (const { id, index, vector, unit } of vectors) {
      const { params, value, relTol } = vector;
      const res = await engine.call('POST', `/api/zeq/operators/execute?operator=${id}`, {
        as: ALICE,
        body: { params },
      });
      if (res.status !== 200 || res.body.unit !== unit || !isWithin(res.body.value, value, relTol))
        wrong.push(`${id} vector ${index}: ${res.status} ${res.body.value ?? res.body.detail}`);
    }

    expect(vectors).toHaveLength(1203);
    expect(wrong).toEqual([]);
  });

  it('gives the same when every parameter carries its unit', async () => {
    const wrong: string[] = [];
    for (const { id, index, vector } of vectors.filter((_, i) => i % 4 === 0)) {
      const units = new Map(catalogue.byId.get(id)!.record.parameters.map(({ name, unit }) => [name, unit]));
      const params = Object.fromEntries(
        Object.entries(vector.params).map(([name, value]) => [
          name,
          `${value} ${units.get(name)!.replace(/^1$/, '')}`,
        ]),
      );
      const res = await engine.call('POST', `/api/zeq/operators/execute?operator=${id}`, {
        as: ALICE,
        body: { params },
      });
      if (res.status !== 200 || !isWithin(res.body.value, vector.value, vector.relTol))
        wrong.push(`${id} vector ${index}: ${res.status} ${res.body.value ?? res.body.detail}`);
    }

    expect(wrong).toEqual([]);
  });

  it('answers 422 not_computable for every symbolic operator', async () => {
    const codes = new Set<string>();
    for (const id of symbolic) {
      const res = await engine.call('POST', `/api/zeq/operators/execute?operator=${id}`, {
        as: ALICE,
        body: {},
      });
      codes.add(`${res.status} ${res.body.code}`);
    }

    expect(symbolic).toHaveLength(93);
    expect([...codes]).toEqual(['422 not_computable']);
  });
});
