import { recordChange } from '../src/audit/record-change.ts';
import { migrate } from '../src/db/migrate.ts';
import { buildStore } from '../src/store/sql/sql-store.ts';
import { auditStoreContract, changeOfAll } from './audit-store.contract.ts';
import { openTestDatabase } from './support/postgres.ts';

auditStoreContract('PostgreSQL', openTestDatabase);

describe('a transaction that is open for long', () => {
  it('keeps nobody else from appending, and comes behind whoever commits first', async () => {
    const db = await openTestDatabase();
    await migrate(db);
    const store = buildStore(db);
    const [hasWritten, mayCommit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const long = store.atomically(async (stores) => {
      await recordChange(stores, changeOfAll('rotation_started'));
      hasWritten.resolve();
      await mayCommit.promise;
    });
    await hasWritten.promise;

    await store.atomically((stores) => recordChange(stores, changeOfAll('rotation_finished')));

    mayCommit.resolve();
    await long;
    const rows = await db.query('SELECT what FROM audit_changes ORDER BY leaf');
    expect(rows.map(({ what }) => what)).toEqual(['rotation_finished', 'rotation_started']);
    await db.close();
  });
});
