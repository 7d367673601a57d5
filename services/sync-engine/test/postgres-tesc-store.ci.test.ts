import { buildLogger } from '@zeq/service-kit';
import { migrate, openDatabase } from '../src/db/database.ts';
import { PostgresTescStore } from '../src/tesc/postgres-tesc-store.ts';
import { scratchSchema } from './scratch-schema.ts';
import { tescStoreContract } from './tesc-store.contract.ts';

const scratch = await scratchSchema();
afterAll(() => scratch.drop());

const openStore = async () => {
  const db = openDatabase(scratch.url, buildLogger('test', 'silent'));
  await migrate(db);
  return new PostgresTescStore(db);
};

tescStoreContract('PostgreSQL', async () => ({ store: await openStore(), again: openStore }));
