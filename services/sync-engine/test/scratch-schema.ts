import { randomBytes } from 'node:crypto';
import pg from 'pg';

export interface Scratch {
  /** A URL whose connections see a schema of their own. */
  url: string;
  drop: () => Promise<void>;
}

/** An empty schema in the database that TEST_DATABASE_URL names. @throws Error when it names none: these tests need a real one. */
export async function scratchSchema(): Promise<Scratch> {
  const base = process.env.TEST_DATABASE_URL;
  if (!base) throw new Error('TEST_DATABASE_URL must name a PostgreSQL database');
  const name = `zeq_sync_test_${randomBytes(6).toString('hex')}`;
  const run = async (sql: string) => {
    const client = new pg.Client(base);
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  await run(`CREATE SCHEMA ${name}`);
  const url = new URL(base);
  url.searchParams.set('options', `-c search_path=${name}`);
  return { url: url.href, drop: () => run(`DROP SCHEMA ${name} CASCADE`) };
}
