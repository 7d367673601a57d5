import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { holdFolder } from '@zeq/service-kit/folder-lock';
import type { Database, Row } from './database.ts';
import { withRetries } from './retry.ts';

/**
 * PostgreSQL inside this process (PGlite), its files in `dataDir/vault`; without a folder it lives in memory. It has one
 * connection, so transactions simply follow each other.
 *
 * @param image A dump to begin from where there is no data yet; it saves the seconds that making an empty database takes.
 * @throws Error with one clear line when another process holds the folder.
 */
export async function openEmbedded(dataDir?: string, image?: Blob): Promise<Database> {
  const folder = dataDir === undefined ? undefined : join(dataDir, 'vault');
  if (folder !== undefined) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const release = folder === undefined ? () => undefined : holdFolder(folder);
  const pglite = new PGlite({
    ...(folder !== undefined && { dataDir: join(folder, 'pg') }),
    ...(image !== undefined && { loadDataDir: image }),
  });
  await pglite.waitReady;
  return {
    query: (sql, values) => run(pglite, sql, values),
    transaction: (work) =>
      withRetries(() =>
        pglite.transaction((tx) =>
          work({
            query: (sql, values) => run(tx, sql, values),
            script: async (sql) => void (await tx.exec(sql)),
          }),
        ),
      ),
    watch: async (channel, onNotify) => {
      const close = await pglite.listen(channel, onNotify);
      return { query: (sql, values) => run(pglite, sql, values), close };
    },
    close: async () => {
      await pglite.close();
      release();
    },
  };
}

const run = async (on: Pick<PGlite, 'query'>, sql: string, values: readonly unknown[] = []): Promise<Row[]> =>
  (await on.query<Row>(sql, [...values])).rows;
