import type { Logger } from '@zeq/service-kit';
import type { Database } from './database.ts';
import { openEmbedded } from './embedded.ts';
import { openPostgres } from './postgres.ts';

/** PostgreSQL where DATABASE_URL names one, and the embedded one in the data folder otherwise. */
export const openDatabase = (
  { DATABASE_URL, ZEQ_DATA_DIR }: { DATABASE_URL?: string | undefined; ZEQ_DATA_DIR: string },
  log: Logger,
): Promise<Database> =>
  DATABASE_URL === undefined ? openEmbedded(ZEQ_DATA_DIR) : Promise.resolve(openPostgres(DATABASE_URL, log));
