import { randomBytes } from 'node:crypto';
import { buildLogger } from '@zeq/service-kit';
import pg from 'pg';
import type { Database } from '../../src/db/database.ts';
import { openPostgres } from '../../src/db/postgres.ts';

/** Where the tests may create databases of their own. @throws Error when it is not set: these tests are never skipped. */
export function serverUrl(): string {
  const url = process.env.TEST_DATABASE_URL;
  if (!url) throw new Error('set TEST_DATABASE_URL to a PostgreSQL on which databases may be created');
  return url;
}

/** A new, empty database on the test server. */
export async function createDatabase(): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `zeq_test_${randomBytes(8).toString('hex')}`;
  await administer(`CREATE DATABASE ${name}`);
  const url = new URL(serverUrl());
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => administer(`DROP DATABASE ${name} WITH (FORCE)`) };
}

export const openDatabaseAt = (url: string): Database => openPostgres(url, buildLogger('test', 'silent'));

/** The same, opened as the vault opens it; closing it drops it. */
export async function openTestDatabase(): Promise<Database> {
  const { url, drop } = await createDatabase();
  const db = openDatabaseAt(url);
  return {
    ...db,
    close: async () => {
      await db.close();
      await drop();
    },
  };
}

/** Runs one statement on the server, outside of every test database. */
export async function administer(sql: string, values: unknown[] = []): Promise<void> {
  const client = new pg.Client(serverUrl());
  await client.connect();
  await client.query(sql, values);
  await client.end();
}

/** Ends every connection to a database, as a restart of the server would; with its timeout (ms) it waits until they have ended. */
export const cutConnections = (url: string): Promise<void> =>
  administer(
    'SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()',
    [new URL(url).pathname.slice(1)],
  );
