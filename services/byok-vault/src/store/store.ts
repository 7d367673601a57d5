import type { ActivityStore } from './activity-store.ts';
import type { ApiStore } from './api-store.ts';
import type { AuditStore } from './audit-store.ts';
import type { ChangeStore } from './change-store.ts';
import type { KeyStore } from './key-store.ts';
import type { MachineStore } from './machine-store.ts';
import type { RotationStore } from './rotation-store.ts';
import type { TokenStore } from './token-store.ts';
import type { UsageStore } from './usage-store.ts';

/** Everything the vault remembers. */
export interface Stores {
  machines: MachineStore;
  keys: KeyStore;
  apis: ApiStore;
  tokens: TokenStore;
  changes: ChangeStore;
  rotations: RotationStore;
  usage: UsageStore;
  activity: ActivityStore;
  audit: AuditStore;
}

export interface Store extends Stores {
  /** What `work` does through the stores it is given happens as a whole or not at all. It may be run more than once. */
  atomically<T>(work: (stores: Stores) => Promise<T>): Promise<T>;
}

/** One page of a list in the order of creation. `next` goes into `after` for the following one; undefined at the end. */
export interface Page<T> {
  items: T[];
  next: string | undefined;
}

export interface PageRequest {
  limit: number;
  /** A `next` of an earlier page. */
  after: string | undefined;
}
