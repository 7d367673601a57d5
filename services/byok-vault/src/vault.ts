import type { KeyRing } from '@zeq/crypto';
import type { EgressRules } from '@zeq/egress';
import type { Logger } from '@zeq/service-kit';
import { CredentialBox } from './credentials/credential-box.ts';
import type { Database } from './db/database.ts';
import { migrate } from './db/migrate.ts';
import { ChangeHub } from './leases/change-hub.ts';
import { buildVaultMetrics } from './metrics.ts';
import { type PlatformKeys, preparePlatform } from './owners/platform.ts';
import { FieldKeyRotation } from './rotation/rotate-field-key.ts';
import { requireKnownKeys } from './rotation/start-checks.ts';
import { buildStore } from './store/sql/sql-store.ts';
import { UsageHousekeeping, type UsageRetention } from './usage/housekeeping.ts';

export interface VaultOptions {
  db: Database;
  ring: KeyRing;
  rules: EgressRules;
  retention: UsageRetention;
  log: Logger;
  now: () => Date;
}

/** The vault's parts over one database. Nothing has happened yet: `start` brings it up and `stop` undoes that. */
export function buildVault({ db, ring, rules, retention, log, now }: VaultOptions) {
  const store = buildStore(db);
  const metrics = buildVaultMetrics();
  const box = new CredentialBox(ring, metrics, log);
  const hub = new ChangeHub(db, log);
  const rotation = new FieldKeyRotation({ store, box, metrics, log, now });
  const housekeeping = new UsageHousekeeping({ store, retention, log, now });
  let started = false;
  return {
    store,
    box,
    hub,
    rotation,
    metrics,
    rules,
    retention,
    housekeeping,
    now,
    isStarted: (): boolean => started,
    notReady: (): string[] => (started && hub.isReading ? [] : ['database']),
    /** @throws ConfigError for credentials under an unknown key; ProblemError `database_unavailable`, then try again. */
    async start(platformKeys: PlatformKeys = {}): Promise<void> {
      await migrate(db);
      await requireKnownKeys(store, ring);
      await preparePlatform({ store, box, rules, now }, platformKeys, log);
      await hub.start();
      rotation.start();
      housekeeping.start();
      started = true;
    },
    async stop(): Promise<void> {
      await Promise.all([hub.stop(), rotation.stop(), housekeeping.stop()]);
    },
  };
}
