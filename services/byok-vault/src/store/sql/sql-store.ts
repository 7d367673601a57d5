import type { Database, Queryable } from '../../db/database.ts';
import type { Store, Stores } from '../store.ts';
import { sqlActivityStore } from './sql-activity-store.ts';
import { sqlApiStore } from './sql-api-store.ts';
import { sqlAuditStore } from './sql-audit-store.ts';
import { sqlChangeStore } from './sql-change-store.ts';
import { sqlKeyStore } from './sql-key-store.ts';
import { sqlMachineStore } from './sql-machine-store.ts';
import { sqlRotationStore } from './sql-rotation-store.ts';
import { sqlTokenStore } from './sql-token-store.ts';
import { sqlUsageStore } from './sql-usage-store.ts';

/** The stores over a database, whichever of its two kinds it is. */
export const buildStore = (db: Database): Store => ({
  ...storesOver(db),
  atomically: (work) => db.transaction((tx) => work(storesOver(tx))),
});

/** The stores over a transaction, or over the database itself. */
export const storesOver = (db: Queryable): Stores => ({
  machines: sqlMachineStore(db),
  keys: sqlKeyStore(db),
  apis: sqlApiStore(db),
  tokens: sqlTokenStore(db),
  changes: sqlChangeStore(db),
  rotations: sqlRotationStore(db),
  usage: sqlUsageStore(db),
  activity: sqlActivityStore(db),
  audit: sqlAuditStore(db),
});
