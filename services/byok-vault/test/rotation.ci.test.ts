import { jest } from '@jest/globals';
import { type Lease, RegisterApi, type RotationStatus } from '@zeq/contracts';
import { KeyRing, kidOf, LeaseRecipient } from '@zeq/crypto';
import { registerApi } from '../src/apis/register-api.ts';
import { MESH } from '../src/audit/record-change.ts';
import type { Database } from '../src/db/database.ts';
import { ANONYMOUS, OPERATOR, ownerOf } from './support/callers.ts';
import { createDatabase, openDatabaseAt } from './support/postgres.ts';
import { runSeed, seededRandom } from './support/seeded.ts';
import { newCanary, openTestVault, type TestVault } from './support/test-vault.ts';
import { VaultProcess } from './support/vault-process.ts';

/** The short form; ROTATION_ROWS=20000 ROTATION_KILLS=20 is the whole one. */
const ROWS = Number(process.env.ROTATION_ROWS ?? 3_000);
const KILLS = Number(process.env.ROTATION_KILLS ?? 8);
const MACHINES = 10;

jest.setTimeout(600_000);

const PATH = '/api/zeq/admin/rotate-field-key';
const OLD = 'c1f0a97d3b5e8246a0d1c2b3f4e596871a2b3c4d5e6f708192a3b4c5d6e7f801';
const NEW = '7be4d05f91c3a826f0e1d2c3b4a59687c8d9eafb0c1d2e3f405162738495a6b7';
const KID = { old: kidOf(Buffer.from(OLD, 'hex')), new: kidOf(Buffer.from(NEW, 'hex')) };
const ring = (current: string, previous?: string) =>
  new KeyRing(Buffer.from(current, 'hex'), previous === undefined ? undefined : Buffer.from(previous, 'hex'));

const random = seededRandom(runSeed());
const between = (low: number, high: number) => low + random() * (high - low);

let url: string;
let drop: () => Promise<void>;
let db: Database;
let machines: Awaited<ReturnType<TestVault['newMachine']>>['machine'][];

beforeEach(async () => {
  ({ url, drop } = await createDatabase());
  db = openDatabaseAt(url);
  machines = await fill(db);
});
afterEach(async () => {
  await db.close();
  await drop();
});

/** ROWS credentials under the old key, over ten machines. */
async function fill(database: Database) {
  const vault = await openTestVault({ db: database, ring: ring(OLD) });
  const made = await Promise.all(
    Array.from({ length: MACHINES }, async () => (await vault.newMachine()).machine),
  );
  let next = 0;
  const work = async () => {
    for (let i = next++; i < ROWS; i = next++)
      await registerApi(vault, made[i % MACHINES]!.id, registration(`api-${i}`), MESH);
  };
  await Promise.all(Array.from({ length: 8 }, work));
  await vault.close();
  return made;
}

const registration = (name: string) =>
  RegisterApi.parse({ name, base_url: 'https://api.example.com', auth_header: `X-Key: ${newCanary()}` });

const vaultProcess = () =>
  new VaultProcess({
    DATABASE_URL: url,
    ZEQ_FIELD_KEY: NEW,
    ZEQ_FIELD_KEY_PREV: OLD,
    ZEQ_DATA_DIR: '/nonexistent',
  });

const statusOf = async (vault: VaultProcess): Promise<RotationStatus> =>
  (await vault.call<RotationStatus>('GET', PATH, OPERATOR)).body;

/** Opens every credential under the new key alone. @returns How many did and did not open. */
async function openAll() {
  const vault = await openTestVault({ db, ring: ring(NEW) });
  let opened = 0;
  let closed = 0;
  for (const { id } of machines) {
    let after: string | undefined;
    do {
      const page = await vault.store.apis.list(id, { limit: 1000, after });
      for (const row of page.items) {
        const secret = vault.box.open(row);
        if (secret === undefined) closed += 1;
        else opened += 1;
        secret?.wipe();
      }
      after = page.next;
    } while (after !== undefined);
  }
  await vault.close();
  return { opened, closed };
}

describe(`rotation of ${ROWS} rows`, () => {
  it(`survives ${KILLS} kills at random points: each row is under one key, what is left never grows, all open`, async () => {
    const vault = vaultProcess();
    await vault.start();
    const recipient = new LeaseRecipient();
    expect((await vault.call('POST', PATH, OPERATOR)).status).toBe(202);
    const lefts: number[] = [];
    const states = new Set<string>();

    for (let kills = 0; kills < KILLS; kills += 1) {
      await new Promise((done) => setTimeout(done, between(5, 120)));
      await vault.kill();
      await vault.start();
      const { rows_left, rows_by_kid } = await statusOf(vault);
      lefts.push(rows_left);
      expect(rows_by_kid.reduce((sum, { rows }) => sum + rows, 0)).toBe(ROWS);
      const lease = await vault.call<Lease>('POST', '/internal/leases', ANONYMOUS, {
        iss: 'forwarder',
        leaseKey: recipient.publicKey,
        body: {
          machine_id: machines[0]!.id,
          api: `api-${Math.floor(between(0, ROWS / MACHINES)) * MACHINES}`,
        },
      });
      states.add(`${lease.status} ${lease.body.auth_state}`);
    }
    const last = await untilDone(vault, lefts);
    await vault.kill('SIGTERM');

    expect(states).toEqual(new Set(['200 ok']));
    expect(lefts).toEqual([...lefts].sort((a, b) => b - a));
    expect(last).toMatchObject({ state: 'done', done: true, rows_done: ROWS, rows_failed: 0 });
    expect(last.rows_by_kid).toEqual([{ kid: KID.new, rows: ROWS }]);
    expect(await openAll()).toEqual({ opened: ROWS, closed: 0 });
  });

  it('is shared by two vaults, with one killed, one row corrupt and new rows written beside it', async () => {
    const [one, two] = [vaultProcess(), vaultProcess()];
    await Promise.all([one.start(), two.start()]);
    await db.query("UPDATE user_external_apis SET auth_hint = 'edited' WHERE name = 'api-1'");
    const starts = await Promise.all([one.call('POST', PATH, OPERATOR), two.call('POST', PATH, OPERATOR)]);
    const written: number[] = [];

    const writing = (async () => {
      for (let i = 0; i < 40; i += 1) {
        const machine = machines[i % MACHINES]!;
        const { status } = await two.call('POST', `/api/zeq/apis/${machine.slug}`, ownerOf(machine), {
          body: registration(`new-${i}`),
        });
        written.push(status);
        const rate = await two.call('PATCH', `/api/zeq/apis/${machine.slug}/api-${i}`, ownerOf(machine), {
          body: { rate_limit_per_min: 7 },
        });
        written.push(rate.status);
      }
    })();
    await new Promise((done) => setTimeout(done, between(20, 150)));
    await one.kill();
    await one.start();
    const lefts: number[] = [];
    const last = await untilDone(two, lefts);
    await writing;
    await Promise.all([one.kill('SIGTERM'), two.kill('SIGTERM')]);

    expect(starts.map(({ status }) => status).sort()).toEqual([202, 409]);
    expect(new Set(written)).toEqual(new Set([200, 201]));
    expect(lefts).toEqual([...lefts].sort((a, b) => b - a));
    expect(last).toMatchObject({ state: 'done', done: false, rows_left: 0, rows_failed: 1 });
    // The corrupt row alone is still under the old key; without it, the old key is not needed.
    await db.query("DELETE FROM user_external_apis WHERE auth_header_kid = $1 AND name = 'api-1'", [KID.old]);
    expect(await openAll()).toEqual({ opened: ROWS - 1 + 40, closed: 0 });
  });
});

async function untilDone(vault: VaultProcess, lefts: number[]): Promise<RotationStatus> {
  for (;;) {
    const status = await statusOf(vault);
    lefts.push(status.rows_left);
    if (status.state !== 'running') return status;
    await new Promise((done) => setTimeout(done, 50));
  }
}
