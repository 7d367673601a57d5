import { jest } from '@jest/globals';
import { buildLogger } from '@zeq/service-kit';
import type { Database } from '../src/db/database.ts';
import { openPostgres } from '../src/db/postgres.ts';
import { createDatabase, cutConnections, openDatabaseAt } from './support/postgres.ts';

jest.setTimeout(60_000);

let url: string;
let drop: () => Promise<void>;
let db: Database;

beforeAll(async () => {
  ({ url, drop } = await createDatabase());
  db = openDatabaseAt(url);
});
afterAll(async () => {
  await db.close();
  await drop();
});

const cutAll = () => cutConnections(url);

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error('it did not happen');
    await new Promise((done) => setTimeout(done, 10));
  }
}

describe('openPostgres', () => {
  it('connects to nothing until it is asked, and says that it cannot', async () => {
    const nowhere = openPostgres('postgres://nobody@127.0.0.1:1/none', buildLogger('test', 'silent'));

    await expect(nowhere.query('SELECT 1')).rejects.toMatchObject({
      code: 'database_unavailable',
      retryAfter: 1,
    });
    await expect(nowhere.transaction((tx) => tx.query('SELECT 1'))).rejects.toMatchObject({
      code: 'database_unavailable',
    });
    await nowhere.close();
  });

  it('refuses what exceeds its pool in time for its callers to hear of it within a second, and serves the rest', async () => {
    const startedAt = performance.now();
    const work = async () => {
      try {
        await db.query('SELECT pg_sleep(1.5)');
        return 'served';
      } catch (err) {
        const waited = performance.now() - startedAt;
        return waited < 750 ? (err as { code: string }).code : `refused after ${waited} ms`;
      }
    };

    const results = await Promise.all(Array.from({ length: 200 }, work));

    const count = (what: string) => results.filter((result) => result === what).length;
    expect([count('served'), count('database_unavailable')]).toEqual([10, 190]);
    expect(await db.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('goes on after every connection was cut', async () => {
    await Promise.all(Array.from({ length: 5 }, () => db.query('SELECT 1')));

    await cutAll();

    const results = await Promise.allSettled(Array.from({ length: 20 }, () => db.query('SELECT 1 AS one')));
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'database_unavailable' });
    expect(await db.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('keeps nothing of a transaction whose connection was cut, and says so', async () => {
    await db.query('CREATE TABLE notes (text text)');

    const cut = db.transaction(async (tx) => {
      await tx.query("INSERT INTO notes VALUES ('lost')");
      await cutAll();
      await tx.query("INSERT INTO notes VALUES ('lost too')");
    });

    await expect(cut).rejects.toMatchObject({ code: 'database_unavailable' });
    expect(await db.query('SELECT * FROM notes')).toEqual([]);
  });

  it('gives up a statement that takes too long, and keeps the connection', async () => {
    await expect(db.query('SELECT pg_sleep(8)')).rejects.toMatchObject({ code: 'database_unavailable' });

    expect(await db.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('passes other errors on as they are', async () => {
    await expect(db.query('SELECT nonsense')).rejects.toMatchObject({ code: '42703' });
    await expect(
      db.transaction(() => Promise.reject(new TypeError('a mistake of ours'))),
    ).rejects.toBeInstanceOf(TypeError);
  });

  it('runs a transaction again that lost to a deadlock', async () => {
    await db.query('CREATE TABLE pair (id int PRIMARY KEY, n int)');
    await db.query('INSERT INTO pair VALUES (1, 0), (2, 0)');
    const add = (first: number, second: number) =>
      db.transaction(async (tx) => {
        await tx.query('UPDATE pair SET n = n + 1 WHERE id = $1', [first]);
        await tx.query('SELECT pg_sleep(0.2)');
        await tx.query('UPDATE pair SET n = n + 1 WHERE id = $1', [second]);
      });

    await Promise.all([add(1, 2), add(2, 1)]);

    expect(await db.query('SELECT n FROM pair ORDER BY id')).toEqual([{ n: 2 }, { n: 2 }]);
  });
});

describe('watch', () => {
  it('works while the pool is used up, comes back after a cut, and tells that something may have been missed', async () => {
    let told = 0;
    const watch = await db.watch('news', () => {
      told += 1;
    });
    const afterOpening = told;
    const busy = Promise.all(Array.from({ length: 10 }, () => db.query('SELECT pg_sleep(0.5)')));

    expect(await watch.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await busy;
    await db.query("SELECT pg_notify('news', '')");
    await until(() => told === afterOpening + 1);
    await cutAll();
    await until(() => told >= afterOpening + 2);
    expect(await watch.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await watch.close();
    await expect(watch.query('SELECT 1')).rejects.toMatchObject({ code: 'database_unavailable' });
  });

  it('may be opened before there is a server, and closed again', async () => {
    const nowhere = openPostgres('postgres://nobody@127.0.0.1:1/none', buildLogger('test', 'silent'));

    const watch = await nowhere.watch('news', () => undefined);

    await expect(watch.query('SELECT 1')).rejects.toMatchObject({ code: 'database_unavailable' });
    await watch.close();
    await nowhere.close();
  });
});
