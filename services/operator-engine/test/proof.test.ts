import { Prover } from '../src/compute/proof.ts';
import { ALICE, ANYBODY, type Engine, NOON, startEngine } from './kit/engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.stop());
afterEach(() => engine.setNow(NOON));

const computed = async (params: unknown = { m: 2, a: 3, d: 4 }) =>
  (
    await engine.call('POST', '/api/zeq/operators/execute?operator=NM19,NM22', {
      as: ALICE,
      body: { params },
    })
  ).body;
const verify = (body: unknown) => engine.call('POST', '/api/zeq/verify', { as: ANYBODY, body });

/** Every path to a scalar inside a value. */
function leaves(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, each]) => leaves(each, [...path, key]));
}

function changed(value: unknown, [key, ...rest]: (string | number)[]): unknown {
  if (key === undefined) return typeof value === 'number' ? value + 1 : `${value}x`;
  const copy = structuredClone(value) as Record<string | number, unknown>;
  copy[key] = changed(copy[key], rest);
  return copy;
}

describe('POST /api/zeq/verify', () => {
  it('accepts a result that is days old, from anybody', async () => {
    const result = await computed();
    engine.setNow(NOON + 30 * 86_400_000);

    const res = await verify(result);

    expect(res.body).toEqual({ valid: true, zeqond: 2_000_000_000, age_zeqonds: 3_335_907 });
  });

  it('accepts a sweep, whatever the order of its fields', async () => {
    const result = await computed({ m: [1, 2.5, 1e-7], a: 3, d: 4 });
    const turned = Object.fromEntries(Object.entries(result).reverse());

    expect((await verify(turned)).body.valid).toBe(true);
  });

  it('refuses a result of which any one field was changed', async () => {
    const result = await computed();
    const accepted: string[] = [];
    for (const path of leaves(result)) {
      const res = await verify(changed(result, path));
      if (res.status !== 200 || res.body.valid !== false) accepted.push(path.join('.'));
    }

    expect(accepted).toEqual([]);
  });

  it('refuses a field left out and a field added', async () => {
    const { ko42: _left, ...without } = await computed();
    const added = { ...(await computed()), note: 'x' };

    expect((await verify(without)).body).toEqual({ valid: false, zeqond: null, age_zeqonds: null });
    expect((await verify(added)).body.valid).toBe(false);
  });

  it.each([[[]], ['text'], [5]])('answers 400 to a body that is no object', async (body) => {
    const res = await verify(body);

    expect([res.status, res.body.code]).toEqual([400, 'invalid_body']);
  });
});

describe('a change of the proof secret', () => {
  it('leaves older proofs valid while the older secret is known, and no longer', async () => {
    const claim = await computed();
    const { proof: _proof, ...unproved } = claim;
    const old = new Prover(['an older secret of more than 32 characters']).prove(unproved);
    const rotated = new Prover([
      'a newer secret of more than 32 characters',
      'an older secret of more than 32 characters',
    ]);
    const forgetful = new Prover(['a newer secret of more than 32 characters']);

    expect(rotated.verify({ ...old }, NOON).valid).toBe(true);
    expect(forgetful.verify({ ...old }, NOON).valid).toBe(false);
  });
});
