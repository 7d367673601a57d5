import { buildLogger } from '@zeq/service-kit';
import { migrate, openDatabase } from '../src/db/database.ts';
import { PostgresTescStore } from '../src/tesc/postgres-tesc-store.ts';
import { scratchSchema } from './scratch-schema.ts';
import { tescStoreContract } from './tesc-store.contract.ts';

const scratch = await scratchSchema();
afterAll(() => scratch.drop());

/** The store leaves the database to the chain; here nobody else closes it. */
class Owning extends PostgresTescStore {
  readonly #end: () => Promise<void>;

  constructor(db: ReturnType<typeof openDatabase>) {
    super(db);
    this.#end = db.close;
  }

  override close(): Promise<void> {
    return this.#end();
  }
}

const openStore = async () => {
  const db = openDatabase(scratch.url, buildLogger('test', 'silent'));
  await migrate(db);
  return new Owning(db);
};

tescStoreContract('PostgreSQL', async () => ({ store: await openStore(), again: openStore }));
