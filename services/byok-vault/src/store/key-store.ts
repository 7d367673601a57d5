import type { KeyScope } from '@zeq/contracts';
import type { Page, PageRequest } from './store.ts';

/** A machine key as it is stored: the key itself is nowhere. */
export interface MachineKey {
  id: string;
  machineId: string;
  name: string;
  prefix: string;
  /** 64 hex digits. */
  sha256: string;
  scope: KeyScope;
  createdAt: Date;
  expiresAt: Date | null;
}

/** A key with the slug of its machine: all that is needed to know who is calling. */
export type IdentifiedKey = MachineKey & { slug: string };

export interface KeyStore {
  /** @throws ProblemError `not_found` when the machine is gone. */
  insert(key: MachineKey): Promise<void>;
  list(machineId: string, page: PageRequest): Promise<Page<MachineKey>>;
  /** @returns Whether it was there. */
  remove(machineId: string, id: string): Promise<boolean>;
  findByHash(sha256: string): Promise<IdentifiedKey | undefined>;
  findById(id: string): Promise<IdentifiedKey | undefined>;
}
