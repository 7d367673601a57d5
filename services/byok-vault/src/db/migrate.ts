import { readdirSync, readFileSync } from 'node:fs';
import type { Database, Transaction } from './database.ts';

const FOLDER = new URL('./migrations/', import.meta.url);
/** Any number that nobody else in this database uses: 'zeqv' in ASCII. */
const LOCK = 0x7a657176;

/** Brings the schema up to date. Several vaults may start at once: one migrates, the others wait and find it done. */
export async function migrate(db: Database): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    const applied = await appliedNames(tx);
    for (const name of migrationNames().filter((name) => !applied.has(name))) {
      await tx.script(readFileSync(new URL(name, FOLDER), 'utf8'));
      await tx.query('INSERT INTO schema_migrations (name, applied_at) VALUES ($1, now())', [name]);
    }
  });
}

/** In their order: each file begins with its number. */
export const migrationNames = (): string[] =>
  readdirSync(FOLDER)
    .filter((name) => name.endsWith('.sql'))
    .sort();

async function appliedNames(tx: Transaction): Promise<ReadonlySet<unknown>> {
  await tx.query(
    'CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL)',
  );
  const rows = await tx.query('SELECT name FROM schema_migrations');
  return new Set(rows.map((row) => row.name));
}
