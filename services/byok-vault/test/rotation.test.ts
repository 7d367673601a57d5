import { randomBytes } from 'node:crypto';
import { jest } from '@jest/globals';
import { type ApiView, RegisterApi, type RotationStatus } from '@zeq/contracts';
import { KeyRing, kidOf } from '@zeq/crypto';
import { registerApi } from '../src/apis/register-api.ts';
import { MESH } from '../src/audit/record-change.ts';
import type { Database } from '../src/db/database.ts';
import type { StoredApi } from '../src/store/api-store.ts';
import { ROTATED_COLUMNS } from '../src/store/sql/sql-rotation-store.ts';
import { OPERATOR, ownerOf } from './support/callers.ts';
import { openTestEmbedded } from './support/embedded.ts';
import { newCanary, openTestVault, type TestVault } from './support/test-vault.ts';

jest.setTimeout(30_000);

const PATH = '/api/zeq/admin/rotate-field-key';
const [OLD, NEW] = [randomBytes(32), randomBytes(32)];
const [OLD_KID, NEW_KID] = [kidOf(OLD), kidOf(NEW)];

let db: Database;
beforeAll(async () => {
  db = await openTestEmbedded();
});
afterAll(() => db.close());
beforeEach(async () => {
  for (const table of ['machines', 'rotations', 'rotation_failures'])
    await db.query(`DELETE FROM ${table}`).catch((err: { code?: string }) => {
      if (err.code !== '42P01') throw err; // not migrated yet
    });
});

/** A vault under the old key with so many credentials; then the same database under the new one. */
async function prepared(count: number) {
  const before = await openTestVault({ db, ring: new KeyRing(OLD) });
  const made = await before.newMachine();
  const rows: StoredApi[] = [];
  for (let i = 0; i < count; i += 1)
    rows.push(await registerApi(before, made.machine.id, registration(`api-${i}`), MESH));
  await before.close();
  const vault = await openTestVault({ db, ring: new KeyRing(NEW, OLD) });
  return { vault, apis: rows, ...made, owner: vault.as(ownerOf(made.machine)) };
}

const registration = (name: string): RegisterApi =>
  RegisterApi.parse({ name, base_url: 'https://api.example.com', auth_header: `X-Key: ${newCanary()}` });

async function register(
  made: Pick<Awaited<ReturnType<TestVault['newMachine']>>, 'owner' | 'slug'>,
  name: string,
) {
  const res = await made.owner.post(`/api/zeq/apis/${made.slug}`).send(registration(name)).expect(201);
  return res.body as ApiView;
}

async function untilDone(vault: TestVault): Promise<{ last: RotationStatus; lefts: number[] }> {
  const lefts: number[] = [];
  for (let i = 0; i < 400; i += 1) {
    const { body } = await vault.as(OPERATOR).get(PATH).expect(200);
    lefts.push(body.rows_left);
    if (body.state !== 'running') return { last: body, lefts };
    await new Promise((done) => setTimeout(done, 10));
  }
  throw new Error('the rotation does not end');
}

const kidsOf = async (vault: TestVault) => (await vault.store.rotations.countByKid()).map(({ kid }) => kid);

const statesOf = async (vault: TestVault, { owner, slug }: Awaited<ReturnType<typeof prepared>>) => {
  expect(vault).toBeDefined();
  const { body } = await owner.get(`/api/zeq/apis/${slug}`).expect(200);
  return new Set((body as ApiView[]).map((api) => api.auth_state));
};

/** Bytes, or what belongs to some, that no master key has anything to do with by itself. */
const NOT_ENCRYPTED = [
  'machines.kdf_salt',
  'user_external_apis.auth_header_iv',
  'user_external_apis.auth_header_kid',
  'rotations.to_kid',
  'activity_pages.calls',
  'activity_pages.unplaced',
  'audit_changes.unplaced',
  'audit_head.closed_root',
  'audit_head.peaks',
  'audit_nodes.hash',
];

describe('rotation of the master key', () => {
  it('moves every row, answers 202, counts down, and then the old key is not needed', async () => {
    const setup = await prepared(230);
    const { vault } = setup;

    const started = await vault.as(OPERATOR).post(PATH).expect(202);
    const { last, lefts } = await untilDone(vault);

    expect(started.body).toMatchObject({ state: 'running', done: false, rows_total: 230 });
    expect(last).toEqual({
      state: 'done',
      done: true,
      current_kid: NEW_KID,
      previous_kid: OLD_KID,
      rows_total: 230,
      rows_done: 230,
      rows_left: 0,
      rows_failed: 0,
      rows_by_kid: [{ kid: NEW_KID, rows: 230 }],
      rows_per_second: expect.any(Number),
      started_at: expect.any(String),
      finished_at: expect.any(String),
    });
    expect(lefts).toEqual([...lefts].sort((a, b) => b - a));
    expect(last.rows_per_second).toBeGreaterThan(0);
    await vault.close();
    const after = await openTestVault({ db, ring: new KeyRing(NEW) });
    expect(await statesOf(after, { ...setup, owner: after.as(ownerOf(setup.machine)) })).toEqual(
      new Set(['ok']),
    );
    await after.close();
  });

  it('answers 409 when one runs, 409 when nothing is left, and 404 when there is none to cancel', async () => {
    const { vault } = await prepared(1);
    await vault.rotation.stop(); // so that nobody finishes it
    const post = async () => (await vault.as(OPERATOR).post(PATH)).body.code;

    const twice = await Promise.all([post(), post()]);

    expect(twice.sort()).toEqual(['rotation_running', undefined]);
    await vault.as(OPERATOR).delete(PATH).expect(200);
    await vault.as(OPERATOR).delete(PATH).expect(404);
    await vault.close();
    const alone = await openTestVault({ db, ring: new KeyRing(NEW, OLD) });
    await alone.as(OPERATOR).post(PATH).expect(202);
    await untilDone(alone);
    expect((await alone.as(OPERATOR).post(PATH)).body.code).toBe('rotation_not_possible');
    await alone.close();
  });

  it('stops when it is cancelled, and ends in the same state when it is begun again', async () => {
    const setup = await prepared(5);
    const { vault } = setup;
    await vault.rotation.stop();
    await vault.as(OPERATOR).post(PATH).expect(202);

    const cancelled = await vault.as(OPERATOR).delete(PATH).expect(200);

    expect(cancelled.body).toMatchObject({ state: 'cancelled', done: false, rows_left: 5 });
    expect(await statesOf(vault, setup)).toEqual(new Set(['ok']));
    await vault.close();
    const again = await openTestVault({ db, ring: new KeyRing(NEW, OLD) });
    await again.as(OPERATOR).post(PATH).expect(202);
    expect((await untilDone(again)).last).toMatchObject({ state: 'done', rows_left: 0 });
    await again.close();
  });

  it('goes on by itself after a restart', async () => {
    const { vault } = await prepared(5);
    await vault.rotation.stop();
    await vault.as(OPERATOR).post(PATH).expect(202);
    await vault.close();

    const restarted = await openTestVault({ db, ring: new KeyRing(NEW, OLD) });

    expect((await untilDone(restarted)).last).toMatchObject({ state: 'done', rows_done: 5 });
    await restarted.close();
  });

  it('flags a corrupt row alone, leaves it as it is, and tries it again in the next run', async () => {
    const setup = await prepared(4);
    const { vault, apis, owner, slug } = setup;
    const corrupt = "UPDATE user_external_apis SET auth_hint = 'x' WHERE id = $1";
    const mend = 'UPDATE user_external_apis SET auth_hint = $2 WHERE id = $1';
    await vault.db.query(corrupt, [apis[2]!.id]);

    await vault.as(OPERATOR).post(PATH).expect(202);
    const { last } = await untilDone(vault);

    expect(last).toMatchObject({ state: 'done', done: false, rows_done: 3, rows_left: 0, rows_failed: 1 });
    const { body } = await owner.get(`/api/zeq/apis/${slug}`).expect(200);
    expect(body.map((api: ApiView) => api.auth_state)).toEqual(['ok', 'ok', 'needs_new_header', 'ok']);
    await vault.db.query(mend, [apis[2]!.id, apis[2]!.authHint]);
    await vault.as(OPERATOR).post(PATH).expect(202);
    expect((await untilDone(vault)).last).toMatchObject({ done: true, rows_failed: 0 });
    await vault.close();
  });

  it('shares the rows between two vaults, and each row is moved once', async () => {
    const { vault, machine } = await prepared(300);
    const second = await openTestVault({ db, ring: new KeyRing(NEW, OLD) });

    await vault.as(OPERATOR).post(PATH).expect(202);
    const { last } = await untilDone(second);

    expect(last).toMatchObject({ state: 'done', rows_done: 300, rows_failed: 0 });
    const writes = await vault.store.machines.countWrites(NEW_KID, new Map([[machine.id, 1]]));
    expect(writes.get(machine.id)).toBe(301);
    await second.close();
    await vault.close();
  });

  it('does not mind rows that are written, changed and removed beside it', async () => {
    const setup = await prepared(120);
    const { vault, owner, slug, apis } = setup;

    await vault.as(OPERATOR).post(PATH).expect(202);
    await Promise.all([
      ...Array.from({ length: 10 }, (_, i) => register(setup, `new-${i}`)),
      ...apis
        .slice(0, 10)
        .map((api) => owner.patch(`/api/zeq/apis/${slug}/${api.id}`).send({ rate_limit_per_min: 2 })),
      ...apis.slice(10, 20).map((api) => owner.delete(`/api/zeq/apis/${slug}/${api.id}`)),
    ]);
    const { last, lefts } = await untilDone(vault);

    expect(last).toMatchObject({ state: 'done', done: true, rows_by_kid: [{ kid: NEW_KID, rows: 120 }] });
    expect(lefts).toEqual([...lefts].sort((a, b) => b - a));
    expect(await statesOf(vault, setup)).toEqual(new Set(['ok']));
    await vault.close();
  });

  it('reads under the previous key are counted and logged, and a write moves its row', async () => {
    const { vault, apis, owner, slug, machine } = await prepared(1);
    const reads = async () => (await vault.metrics.oldKeyReads.get()).values[0]?.value ?? 0;
    const row = (await vault.store.apis.find(machine.id, apis[0]!.id))!;

    vault.box.open(row)?.wipe();

    expect(await reads()).toBe(1);
    expect(
      vault.logLines.some(
        (line) => line.includes('needed the previous master key') && line.includes(OLD_KID),
      ),
    ).toBe(true);
    await owner.patch(`/api/zeq/apis/${slug}/${apis[0]!.id}`).send({ rate_limit_per_min: 3 }).expect(200);
    expect(await kidsOf(vault)).toEqual([NEW_KID]);
    await vault.close();
  });

  it('knows every encrypted column of the schema: a new one without a hook turns this red', async () => {
    const vault = await openTestVault({ db, ring: new KeyRing(NEW) });
    // whatever it is called, ciphertext is bytes; what is bytes and not in either list has to be thought about
    const rows = await vault.db.query(
      `SELECT table_name || '.' || column_name AS place FROM information_schema.columns
       WHERE table_schema = 'public' AND (data_type = 'bytea' OR column_name ~ '_(enc|iv|kid|tag|sealed)$')`,
    );

    const places = rows.map(({ place }) => String(place)).filter((place) => !NOT_ENCRYPTED.includes(place));
    expect(places.sort()).toEqual([...ROTATED_COLUMNS].sort());
    await vault.close();
  });
});

describe('the start', () => {
  it('is refused over rows under a key that is in neither variable, naming the key and the count', async () => {
    const { vault } = await prepared(3);
    await vault.close();

    const start = openTestVault({ db, ring: new KeyRing(NEW) });

    await expect(start).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(new RegExp(`ZEQ_FIELD_KEY_PREV.*${OLD_KID}.*3 stored credentials`)),
    });
  });
});

describe('rotation of one machine’s salt', () => {
  const rotate = (vault: TestVault, slug: string) =>
    vault.as(OPERATOR).post(`/api/zeq/admin/machines/${slug}/rotate-salt`);

  it('encrypts everything of the machine anew, and nothing of another', async () => {
    const setup = await prepared(3);
    const { vault, slug, machine, apis } = setup;
    const other = await vault.newMachine();
    await register(other, 'other');
    await vault.db.query("UPDATE user_external_apis SET auth_hint = 'x' WHERE id = $1", [apis[0]!.id]);
    const saltBefore = (await vault.store.machines.find(machine.id))!.kdfSalt;

    const { body } = await rotate(vault, slug).expect(200);

    expect(body).toEqual({ rows_done: 2, rows_failed: 1 });
    expect((await vault.store.machines.find(machine.id))!.kdfSalt.equals(saltBefore)).toBe(false);
    expect(await statesOf(vault, setup)).toEqual(new Set(['needs_new_header', 'ok']));
    const { body: others } = await other.owner.get(`/api/zeq/apis/${other.slug}`);
    expect(others[0].auth_state).toBe('ok');
    const writes = await vault.store.machines.countWrites(NEW_KID, new Map([[machine.id, 1]]));
    expect(writes.get(machine.id)).toBe(3);
    await vault.close();
  });

  it('lets the writes of that machine wait, and loses none', async () => {
    const setup = await prepared(10);
    const { vault, slug } = setup;

    const results = await Promise.all([
      register(setup, 'beside-1'),
      rotate(vault, slug).expect(200),
      register(setup, 'beside-2'),
      rotate(vault, slug).expect(200),
    ]);

    expect(results).toHaveLength(4);
    expect(await statesOf(vault, setup)).toEqual(new Set(['ok']));
    await vault.close();
  });

  it('answers 404 for a machine that is not there', async () => {
    const vault = await openTestVault({ db, ring: new KeyRing(NEW) });

    await rotate(vault, 'nobody').expect(404);
    await vault.close();
  });
});
