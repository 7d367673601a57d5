import { jest } from '@jest/globals';
import type { CreatedMachine } from '@zeq/contracts';
import type { z } from 'zod';
import type { Database } from '../src/db/database.ts';
import { buildStore } from '../src/store/sql/sql-store.ts';
import { ownerOf, PLATFORM } from './support/callers.ts';
import { createDatabase, cutConnections, openDatabaseAt } from './support/postgres.ts';
import { runSeed, seededRandom } from './support/seeded.ts';
import { newCanary } from './support/test-vault.ts';
import { VaultProcess } from './support/vault-process.ts';

const FAULTS = Number(process.env.VAULT_FAULTS ?? 6);
const KEY = '7be4d05f91c3a826f0e1d2c3b4a59687c8d9eafb0c1d2e3f405162738495a6b7';

jest.setTimeout(300_000);

const random = seededRandom(runSeed());
const pause = (low: number, high: number) =>
  new Promise((done) => setTimeout(done, low + random() * (high - low)));

let url: string;
let drop: () => Promise<void>;
let db: Database;
let vault: VaultProcess;

beforeEach(async () => {
  ({ url, drop } = await createDatabase());
  db = openDatabaseAt(url);
  vault = new VaultProcess({ DATABASE_URL: url, ZEQ_FIELD_KEY: KEY, ZEQ_DATA_DIR: '/nonexistent' });
  await vault.start();
});
afterEach(async () => {
  await vault.kill('SIGTERM');
  await db.close();
  await drop();
});

/** Creates machines with one API each for as long as it is told to, and keeps a list of what was acknowledged. */
class Writer {
  readonly machines: string[] = [];
  readonly apis: string[] = [];
  readonly refusals = new Set<string>();
  #writing = true;
  readonly #done: Promise<void>;

  constructor() {
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#writing = false;
    await this.#done;
  }

  async #run(): Promise<void> {
    for (let i = 0; this.#writing; i += 1) {
      try {
        await this.#writeOne(`m-${i}`);
      } catch (err) {
        if ((err as Error).name !== 'TypeError') throw err; // fetch: the vault is not there just now
        await pause(5, 20);
      }
    }
  }

  async #writeOne(slug: string): Promise<void> {
    type Created = z.infer<typeof CreatedMachine>;
    const created = await vault.call<Created>('POST', '/api/zeq/machines', PLATFORM, { body: { slug } });
    if (created.status !== 201) return this.#refuse(created);
    this.machines.push(slug);
    const body = { name: 'one', base_url: 'https://api.example.com', auth_header: `X-Key: ${newCanary()}` };
    const api = await vault.call('POST', `/api/zeq/apis/${slug}`, ownerOf(created.body.machine), { body });
    if (api.status === 201) this.apis.push(slug);
    else this.#refuse(api);
  }

  #refuse({ status, headers }: { status: number; headers: Headers }): void {
    this.refusals.add(`${status} ${headers.get('x-zeq-error')} ${headers.get('retry-after')}`);
  }
}

/** What of the acknowledged is not there, and what is there in part. */
async function verify({ machines, apis }: Writer) {
  const store = buildStore(db);
  const lost: string[] = [];
  for (const slug of machines) if ((await store.machines.findBySlug(slug)) === undefined) lost.push(slug);
  for (const slug of apis) {
    const machine = await store.machines.findBySlug(slug);
    if ((await store.apis.find(machine?.id ?? '', 'one'))?.credential == null) lost.push(`${slug}/one`);
  }
  const halves = await db.query(
    "SELECT slug FROM machines m WHERE slug <> 'platform' AND NOT EXISTS (SELECT 1 FROM machine_keys k WHERE k.machine_id = m.id)",
  );
  return { lost, halves };
}

describe('writes under faults', () => {
  it(`are all there or not there at all after ${FAULTS} kills of the vault`, async () => {
    const writer = new Writer();
    const starts: number[] = [];

    for (let i = 0; i < FAULTS; i += 1) {
      await pause(50, 400);
      await vault.kill();
      starts.push(await vault.start());
    }
    await pause(100, 200);
    await writer.stop();

    expect(await verify(writer)).toEqual({ lost: [], halves: [] });
    expect(writer.apis.length).toBeGreaterThan(0);
    process.stderr.write(`restart to ready: at most ${Math.round(Math.max(...starts))} ms\n`);
  });

  it(`are all there or refused with 503 and Retry-After while every connection is cut ${FAULTS} times`, async () => {
    const writer = new Writer();

    for (let i = 0; i < FAULTS; i += 1) {
      await pause(50, 400);
      await cutConnections(url);
    }
    await pause(300, 500);
    await writer.stop();

    expect(await verify(writer)).toEqual({ lost: [], halves: [] });
    expect(writer.apis.length).toBeGreaterThan(0);
    for (const refusal of writer.refusals) expect(refusal).toBe('503 database_unavailable 1');
    expect(vault.isRunning).toBe(true);
  });
});
