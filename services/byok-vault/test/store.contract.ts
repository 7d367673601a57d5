import { randomBytes } from 'node:crypto';
import { jest } from '@jest/globals';
import { newId } from '@zeq/crypto';
import type { Database } from '../src/db/database.ts';
import { migrate } from '../src/db/migrate.ts';
import type { ApiRow } from '../src/store/api-store.ts';
import type { MachineKey } from '../src/store/key-store.ts';
import type { Machine } from '../src/store/machine-store.ts';
import { buildStore } from '../src/store/sql/sql-store.ts';
import type { Store } from '../src/store/store.ts';
import type { AppToken } from '../src/store/token-store.ts';

jest.setTimeout(30_000);

const EVERYTHING = { limit: 1000, after: undefined };
const hex = (bytes: number) => randomBytes(bytes).toString('hex');

export const newMachine = (createdAt = new Date()): Machine => ({
  id: newId('mch'),
  slug: `m-${hex(8)}`,
  displayName: 'A machine',
  kdfSalt: randomBytes(32),
  createdAt,
});

export const newKey = (machineId: string): MachineKey => ({
  id: newId('key'),
  machineId,
  name: 'a key',
  prefix: 'zsm_abcd',
  sha256: hex(32),
  scope: 'forward',
  createdAt: new Date('2026-01-02T03:04:05.678Z'),
  expiresAt: new Date('2036-01-02T03:04:05.678Z'),
});

export const newApi = (machineId: string, over: Partial<ApiRow> = {}): ApiRow => ({
  id: newId('api'),
  machineId,
  name: `api-${hex(6)}`,
  provider: 'openai',
  baseUrl: 'https://api.example.com/v1',
  baseOrigin: 'https://api.example.com',
  authShape: '{"type":"header","name":"Authorization"}',
  authHint: '…wxyz',
  warnings: '[]',
  rateLimitPerMin: 60,
  extraHeaders: '{"X-Ü":"é"}',
  policy: '{ "spaces":  "are kept" }',
  schema: '{"nul":"\\u0000","lone":"\\ud800"}',
  createdAt: new Date('2026-01-02T03:04:05.678Z'),
  updatedAt: new Date('2026-01-02T03:04:05.679Z'),
  credential: { ciphertext: randomBytes(80), iv: randomBytes(12), kid: '0011223344556677' },
  ...over,
});

export const newToken = (machineId: string, apiIds: string[]): AppToken => ({
  id: newId('tok'),
  machineId,
  name: 'an app',
  prefix: 'zat_abcd',
  sha256: hex(32),
  apiIds: [...apiIds].sort(),
  allowedMethods: ['GET', 'POST'],
  allowedPathPrefixes: null,
  rateLimitPerMin: 7,
  createdAt: new Date('2026-01-02T03:04:05.678Z'),
  expiresAt: null,
});

/** What every store has to do, whichever database is behind it. `open` gives an empty one. */
export function storeContract(name: string, open: () => Promise<Database>): void {
  describe(`the stores over ${name}`, () => {
    let db: Database;
    let store: Store;

    beforeAll(async () => {
      db = await open();
      await migrate(db);
      store = buildStore(db);
    });
    afterAll(() => db.close());

    const addMachine = async (createdAt?: Date) => {
      const machine = newMachine(createdAt);
      await store.machines.insert(machine);
      return machine;
    };
    const addApi = async (machineId: string, over: Partial<ApiRow> = {}) => {
      const row = newApi(machineId, over);
      await store.apis.insert(row);
      return row;
    };

    describe('migrations', () => {
      it('may be run again, and by two at once', async () => {
        await Promise.all([migrate(db), migrate(db)]);

        expect((await db.query('SELECT name FROM schema_migrations')).length).toBeGreaterThan(0);
      });
    });

    describe('machines', () => {
      it('come back as they went in, by id and by slug', async () => {
        const machine = await addMachine(new Date('2026-05-06T07:08:09.123Z'));

        expect(await store.machines.find(machine.id)).toEqual(machine);
        expect(await store.machines.findBySlug(machine.slug)).toEqual(machine);
        expect(await store.machines.find('mch_none')).toBeUndefined();
        expect(await store.machines.findBySlug('none')).toBeUndefined();
      });

      it('have slugs of their own', async () => {
        const { slug } = await addMachine();

        await expect(store.machines.insert({ ...newMachine(), slug })).rejects.toMatchObject({
          code: 'slug_taken',
        });
      });

      it('are listed in pages in the order of creation, also where moments are equal', async () => {
        const moment = new Date('2020-01-01T00:00:00.000Z');
        const made = await Promise.all([addMachine(moment), addMachine(moment), addMachine(moment)]);
        const expected = made.map(({ id }) => id).sort();

        const first = await store.machines.list({ limit: 2, after: undefined });
        const second = await store.machines.list({ limit: 2, after: first.next });

        expect([...first.items, ...second.items].slice(0, 3).map(({ id }) => id)).toEqual(expected);
      });

      it('refuse a place in the list that they never gave out', async () => {
        await expect(store.machines.list({ limit: 2, after: "1'; DROP" })).rejects.toMatchObject({
          code: 'invalid_query',
        });
      });

      it('take everything of theirs with them', async () => {
        const machine = await addMachine();
        const key = newKey(machine.id);
        const api = await addApi(machine.id);
        const token = newToken(machine.id, [api.id]);
        await store.keys.insert(key);
        await store.tokens.insert(token);
        await store.machines.countWrites('kid', new Map([[machine.id, 1]]));

        expect(await store.machines.remove(machine.id)).toBe(true);

        expect(await store.machines.remove(machine.id)).toBe(false);
        expect(await store.keys.findByHash(key.sha256)).toBeUndefined();
        expect(await store.tokens.findByHash(token.sha256)).toBeUndefined();
        expect(await store.apis.find(machine.id, api.id)).toBeUndefined();
      });

      it('count encryptions per master key, also many at once', async () => {
        const { id } = await addMachine();

        await Promise.all(
          Array.from({ length: 20 }, () => store.machines.countWrites('one', new Map([[id, 2]]))),
        );

        const other = await addMachine();
        const both = new Map([
          [id, 1],
          [other.id, 2 ** 31],
        ]);
        expect(Object.fromEntries(await store.machines.countWrites('one', both))).toEqual({
          [id]: 41,
          [other.id]: 2 ** 31,
        });
        expect((await store.machines.countWrites('two', both)).get(id)).toBe(1);
      });

      it('begin to count anew under a new salt', async () => {
        const { id } = await addMachine();
        await store.machines.countWrites('one', new Map([[id, 5]]));
        const salt = randomBytes(32);

        await store.machines.replaceSalt(id, salt);

        expect((await store.machines.find(id))?.kdfSalt).toEqual(salt);
        expect((await store.machines.countWrites('one', new Map([[id, 1]]))).get(id)).toBe(1);
      });
    });

    describe('machine keys', () => {
      it('come back as they went in, with the slug', async () => {
        const machine = await addMachine();
        const key = newKey(machine.id);
        await store.keys.insert(key);

        expect(await store.keys.findByHash(key.sha256)).toEqual({ ...key, slug: machine.slug });
        expect(await store.keys.findById(key.id)).toEqual({ ...key, slug: machine.slug });
        expect(await store.keys.findByHash(hex(32))).toBeUndefined();
      });

      it('are listed and removed for their own machine only', async () => {
        const [mine, other] = [await addMachine(), await addMachine()];
        const key = newKey(mine.id);
        await store.keys.insert(key);

        expect((await store.keys.list(other.id, EVERYTHING)).items).toEqual([]);
        expect(await store.keys.remove(other.id, key.id)).toBe(false);
        expect((await store.keys.list(mine.id, EVERYTHING)).items).toEqual([{ ...key, slug: mine.slug }]);
        expect(await store.keys.remove(mine.id, key.id)).toBe(true);
        expect((await store.keys.list(mine.id, EVERYTHING)).items).toEqual([]);
      });

      it('cannot be made for a machine that is gone', async () => {
        await expect(store.keys.insert(newKey(newId('mch')))).rejects.toMatchObject({ code: 'not_found' });
      });
    });

    describe('APIs', () => {
      it('come back byte for byte, by id and by name', async () => {
        const machine = await addMachine();
        const row = await addApi(machine.id);
        const stored = { ...row, slug: machine.slug, tenantSalt: machine.kdfSalt };

        expect(await store.apis.find(machine.id, row.id)).toEqual(stored);
        expect(await store.apis.find(machine.id, row.name)).toEqual(stored);
        expect((await store.apis.list(machine.id, EVERYTHING)).items).toEqual([stored]);
      });

      it('may have no credential and no schema', async () => {
        const { id } = await addMachine();
        const row = await addApi(id, { credential: null, schema: null, provider: null, authShape: null });

        expect(await store.apis.find(id, row.id)).toMatchObject({ credential: null, schema: null });
      });

      it('are nobody else’s', async () => {
        const [mine, other] = [await addMachine(), await addMachine()];
        const row = await addApi(mine.id);

        expect(await store.apis.find(other.id, row.id)).toBeUndefined();
        expect(await store.apis.find(other.id, row.name)).toBeUndefined();
        expect((await store.apis.list(other.id, EVERYTHING)).items).toEqual([]);
        expect(await store.apis.remove(other.id, row.id)).toBe(false);
        await store.apis.update({ ...row, machineId: other.id, name: 'stolen' });
        expect(await store.apis.find(mine.id, row.id)).toMatchObject({ name: row.name });
      });

      it('have names of their own within a machine, also when two come at once', async () => {
        const [mine, other] = [await addMachine(), await addMachine()];

        const results = await Promise.allSettled([
          addApi(mine.id, { name: 'twin' }),
          addApi(mine.id, { name: 'twin' }),
        ]);

        const reasons = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason);
        expect(reasons).toEqual([expect.objectContaining({ code: 'name_taken' })]);
        await addApi(other.id, { name: 'twin' });
      });

      it('cannot be renamed to a name that is taken', async () => {
        const { id } = await addMachine();
        const [one, two] = [await addApi(id), await addApi(id)];

        await expect(store.apis.update({ ...two, name: one.name })).rejects.toMatchObject({
          code: 'name_taken',
        });
      });

      it('are listed in many pages without one missing or twice', async () => {
        const { id } = await addMachine();
        const made = await Promise.all(Array.from({ length: 7 }, () => addApi(id)));
        const seen: string[] = [];

        let after: string | undefined;
        do {
          const page = await store.apis.list(id, { limit: 3, after });
          seen.push(...page.items.map((row) => row.id));
          after = page.next;
        } while (after !== undefined);

        expect(seen).toEqual(made.map((row) => row.id).sort());
      });

      it('are held one after another', async () => {
        const machine = await addMachine();
        const row = await addApi(machine.id);

        const addOne = () =>
          store.atomically(async ({ apis }) => {
            const held = (await apis.hold(machine.id, row.id))!;
            await apis.update({ ...held, rateLimitPerMin: held.rateLimitPerMin + 1 });
          });
        await Promise.all(Array.from({ length: 8 }, addOne));

        expect((await store.apis.find(machine.id, row.id))?.rateLimitPerMin).toBe(68);
      });
    });

    describe('app tokens', () => {
      it('come back as they went in, with the slug and their APIs', async () => {
        const machine = await addMachine();
        const apis = [await addApi(machine.id), await addApi(machine.id)];
        const token = newToken(
          machine.id,
          apis.map(({ id }) => id),
        );
        await store.tokens.insert(token);

        expect(await store.tokens.findByHash(token.sha256)).toEqual({ ...token, slug: machine.slug });
        expect((await store.tokens.list(machine.id, apis[1]!.id, EVERYTHING)).items).toHaveLength(1);
      });

      it('are listed and removed only with an API that they cover', async () => {
        const machine = await addMachine();
        const [covered, other] = [await addApi(machine.id), await addApi(machine.id)];
        const token = newToken(machine.id, [covered.id]);
        await store.tokens.insert(token);

        expect((await store.tokens.list(machine.id, other.id, EVERYTHING)).items).toEqual([]);
        expect(await store.tokens.remove(machine.id, other.id, token.id)).toBe(false);
        expect(await store.tokens.remove(machine.id, covered.id, token.id)).toBe(true);
        expect(await store.tokens.findByHash(token.sha256)).toBeUndefined();
      });

      it('lose an API that is removed, and are useless without any', async () => {
        const machine = await addMachine();
        const [one, two] = [await addApi(machine.id), await addApi(machine.id)];
        const both = newToken(machine.id, [one.id, two.id]);
        const single = newToken(machine.id, [one.id]);
        await store.tokens.insert(both);
        await store.tokens.insert(single);

        await store.apis.remove(machine.id, one.id);

        expect(await store.tokens.removeUseless(machine.id)).toEqual([single.id]);
        expect(await store.tokens.findByHash(both.sha256)).toMatchObject({ apiIds: [two.id] });
      });

      it('cannot cover an API that is gone', async () => {
        const machine = await addMachine();

        await expect(
          store.atomically(({ tokens }) => tokens.insert(newToken(machine.id, [newId('api')]))),
        ).rejects.toMatchObject({ code: 'not_found' });
      });
    });

    describe('the change log', () => {
      const change = (id: string) => ({ what: 'api_changed' as const, machine_id: newId('mch'), id });

      it('numbers changes without gaps, in the order in which they are committed', async () => {
        const before = await store.changes.head();

        await Promise.all(
          Array.from({ length: 10 }, () => store.atomically(({ changes }) => changes.append(change('x')))),
        );
        const failed = store.atomically(async ({ changes }) => {
          await changes.append(change('rolled back'));
          throw new Error('rolled back');
        });
        await expect(failed).rejects.toThrow('rolled back');
        await store.changes.append(change('last'));

        const after = await store.changes.head();
        const log = await store.changes.since(before.seq, 100);
        expect(after).toEqual({ epoch: before.epoch, seq: before.seq + 11 });
        expect(log.map(({ seq }) => seq)).toEqual(Array.from({ length: 11 }, (_, i) => before.seq + 1 + i));
        expect(log.at(-1)).toMatchObject({ type: 'change', what: 'api_changed', id: 'last' });
      });

      it('forgets the oldest, and keeps its numbers', async () => {
        await store.changes.append(change('a'));
        await store.changes.append(change('b'));
        const { seq } = await store.changes.head();

        await store.changes.forget(seq - 1);

        expect((await store.changes.since(0, 100)).map((line) => line.seq)).toEqual([seq]);
        expect((await store.changes.head()).seq).toBe(seq);
      });

      it('tells those who listen', async () => {
        let told = 0;
        const watch = await db.watch('zeq_changes', () => {
          told += 1;
        });
        const before = told;

        await store.changes.append(change('heard'));
        for (let i = 0; i < 100 && told === before; i += 1) await new Promise((done) => setTimeout(done, 20));

        expect(told).toBe(before + 1);
        expect(await watch.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
        await watch.close();
      });
    });

    describe('rotations', () => {
      const [OLD, NEW] = [hex(8), hex(8)];
      const under = (kid: string) => ({
        credential: { ciphertext: randomBytes(60), iv: randomBytes(12), kid },
      });

      it('run one at a time', async () => {
        const run = await store.rotations.start(NEW, 3);

        await expect(store.rotations.start(NEW, 3)).rejects.toMatchObject({ code: 'rotation_running' });
        expect(await store.rotations.latest()).toEqual(run);
        expect(await store.rotations.addDone(run.id, 2)).toBe(true);
        expect(await store.rotations.finish('done', new Date())).toBe(true);
        expect(await store.rotations.finish('cancelled', new Date())).toBe(false);
        expect(await store.rotations.addDone(run.id, 1)).toBe(false);
        expect(await store.rotations.latest()).toMatchObject({ state: 'done', rowsDone: 2, rowsTotal: 3 });
      });

      it('take rows of the given kids that have not failed, and replace only the credential', async () => {
        const machine = await addMachine();
        const rows = [
          await addApi(machine.id, under(OLD)),
          await addApi(machine.id, under(OLD)),
          await addApi(machine.id, under(NEW)),
        ];
        await store.rotations.noteFailure(rows[0]!.id, OLD);
        await store.rotations.noteFailure(rows[0]!.id, OLD);

        const taken = await store.rotations.take([OLD], 10);
        const credential = { ciphertext: randomBytes(99), iv: randomBytes(12), kid: NEW };
        await store.rotations.replace([{ rowId: rows[1]!.id, credential }]);

        expect(taken.map(({ id }) => id)).toEqual([rows[1]!.id]);
        expect(await store.apis.find(machine.id, rows[1]!.id)).toEqual({ ...taken[0], credential });
        expect(await store.rotations.take([OLD], 10)).toEqual([]);
        expect(await store.rotations.countFailed(NEW)).toBe(1);
        expect(await store.rotations.countByKid()).toEqual(
          expect.arrayContaining([
            { kid: OLD, rows: 1 },
            { kid: NEW, rows: 2 },
          ]),
        );
        expect((await store.rotations.takeMachine(machine.id)).map(({ id }) => id).sort()).toEqual(
          rows.map(({ id }) => id).sort(),
        );
      });

      it('replace nothing when there is nothing to replace', async () => {
        await expect(store.rotations.replace([])).resolves.toBeUndefined();
      });
    });

    describe('atomically', () => {
      it('keeps nothing of what failed', async () => {
        const machine = newMachine();

        const failed = store.atomically(async ({ machines, keys }) => {
          await machines.insert(machine);
          await keys.insert(newKey(newId('mch')));
        });

        await expect(failed).rejects.toMatchObject({ code: 'not_found' });
        expect(await store.machines.find(machine.id)).toBeUndefined();
      });

      it('serves on after a failure', async () => {
        await expect(store.atomically(() => Promise.reject(new Error('no')))).rejects.toThrow('no');

        expect(await store.machines.find('mch_none')).toBeUndefined();
      });
    });
  });
}
