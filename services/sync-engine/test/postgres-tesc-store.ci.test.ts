import { buildLogger } from '@zeq/service-kit';
import { migrate, openDatabase } from '../src/db/database.ts';
import { PostgresTescStore, RESEALED_COLUMNS } from '../src/tesc/postgres-tesc-store.ts';
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

// Bytes that are no ciphertext of this service, with the reason; whatever else is bytes has to be sealed anew when the secret changes.
const NOT_SEALED_HERE: Record<string, string> = {
  'sync_chain.seed': 'random bytes that the first link is made of',
  'sync_chain.public_key': 'public',
  'sync_chain.plat': 'public',
  'sync_chain.chain': 'a hash',
  'sync_ticks.record': 'public: the tick and its signature',
  'tesc_channels.seed': 'random bytes that the first link is made of',
  'tesc_channels.salt': 'a salt',
  'tesc_channels.chain': 'a hash',
  'tesc_keys.secret_iv': 'written with its ciphertext',
  'tesc_members.plat': 'a code that was used',
  'tesc_messages.prev': 'a hash',
  'tesc_messages.iv': 'written by the member that sealed the message',
  'tesc_messages.ciphertext': 'sealed by a member under the secret of the channel',
  'tesc_messages.plat': 'a code that was used',
  'tesc_messages.chain': 'a hash',
};

it('every column of ciphertext is one that is sealed anew: a new one without it turns this red', async () => {
  const db = openDatabase(scratch.url, buildLogger('test', 'silent'));
  await migrate(db);
  const rows = await db.query(
    `SELECT table_name || '.' || column_name AS place FROM information_schema.columns
     WHERE table_schema = current_schema() AND (data_type = 'bytea' OR column_name ~ '_(enc|tag|sealed)$')`,
  );
  await db.close();

  const bytes = rows.map(({ place }) => String(place));
  expect(bytes.filter((place) => !(place in NOT_SEALED_HERE)).sort()).toEqual([...RESEALED_COLUMNS]);
  expect(bytes).toEqual(expect.arrayContaining(Object.keys(NOT_SEALED_HERE)));
});
