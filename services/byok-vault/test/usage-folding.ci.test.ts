import { jest } from '@jest/globals';
import { newId } from '@zeq/crypto';
import type { Database } from '../src/db/database.ts';
import { migrate } from '../src/db/migrate.ts';
import { buildStore } from '../src/store/sql/sql-store.ts';
import { newApi, newMachine } from './store.contract.ts';
import { createDatabase, openDatabaseAt } from './support/postgres.ts';
import { runSeed, seededRandom } from './support/seeded.ts';
import { newMinute } from './support/usage.ts';
import { VaultProcess } from './support/vault-process.ts';

/** The short form; USAGE_MINUTES=200000 USAGE_KILLS=20 is the whole one. */
const MINUTES = Number(process.env.USAGE_MINUTES ?? 20_000);
const KILLS = Number(process.env.USAGE_KILLS ?? 5);
const APIS = 20;
const FIELD_KEY = '7be4d05f91c3a826f0e1d2c3b4a59687c8d9eafb0c1d2e3f405162738495a6b7';
const LAST_MINUTE = Math.floor(Date.parse('2026-01-10T00:00:00Z') / 60_000);

jest.setTimeout(600_000);

const random = seededRandom(runSeed());

let url: string;
let drop: () => Promise<void>;
let db: Database;
beforeEach(async () => {
  ({ url, drop } = await createDatabase());
  db = openDatabaseAt(url);
  await fill();
});
afterEach(async () => {
  await db.close();
  await drop();
});

/** Counts of long ago, by the minute. */
async function fill(): Promise<void> {
  await migrate(db);
  const store = buildStore(db);
  const machine = newMachine();
  await store.machines.insert(machine);
  const apis = Array.from({ length: APIS }, () => newApi(machine.id, { id: newId('api'), credential: null }));
  for (const api of apis) await store.apis.insert(api);
  for (let first = 0; first < MINUTES / APIS; first += 25) {
    const minutes = Array.from({ length: 25 }, (_, i) => LAST_MINUTE - first - i);
    await store.usage.add(apis.flatMap(({ id }) => minutes.map((minute) => newMinute(id, minute))));
  }
}

const sums = async () => {
  const tables = ['usage_minute', 'usage_hour', 'usage_day'];
  const rows = await Promise.all(
    tables.map((table) =>
      db.query(`SELECT count(*)::int AS n, coalesce(sum(requests), 0)::int AS r FROM ${table}`),
    ),
  );
  return {
    rows: rows.map(([row]) => Number(row!.n)),
    requests: rows.reduce((sum, [row]) => sum + Number(row!.r), 0),
  };
};

describe('the folding of old counts', () => {
  it('counts everything once, with vaults that work at it side by side and are killed anywhere', async () => {
    const expected = (await sums()).requests;
    const env = { DATABASE_URL: url, ZEQ_FIELD_KEY: FIELD_KEY, ZEQ_USAGE_HOUR_DAYS: '1' };
    const vaults = [new VaultProcess(env), new VaultProcess(env)];

    for (let kill = 0; kill < KILLS; kill += 1) {
      await Promise.all(vaults.map((vault) => vault.start()));
      await new Promise((resolve) => setTimeout(resolve, random() * 300));
      await Promise.all(vaults.map((vault) => vault.kill()));
      expect((await sums()).requests).toBe(expected);
    }
    await vaults[0]!.start();
    while ((await sums()).rows[0]! + (await sums()).rows[1]! > 0)
      await new Promise((resolve) => setTimeout(resolve, 100));
    await vaults[0]!.kill('SIGTERM');

    const { rows, requests } = await sums();
    expect(requests).toBe(expected);
    expect(rows.slice(0, 2)).toEqual([0, 0]);
    expect(rows[2]).toBeGreaterThanOrEqual(APIS);
  });
});
