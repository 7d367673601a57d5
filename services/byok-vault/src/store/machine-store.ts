import type { Page, PageRequest } from './store.ts';

/** A tenant. */
export interface Machine {
  id: string;
  slug: string;
  displayName: string;
  /** 32 random bytes, the salt of every key derived for this tenant. */
  kdfSalt: Buffer;
  createdAt: Date;
}

export interface MachineStore {
  /** @throws ProblemError `slug_taken` */
  insert(machine: Machine): Promise<void>;
  find(id: string): Promise<Machine | undefined>;
  findBySlug(slug: string): Promise<Machine | undefined>;
  list(page: PageRequest): Promise<Page<Machine>>;
  /** Reads a machine and keeps it and its salt as they are until the end of the transaction. */
  hold(id: string): Promise<Machine | undefined>;
  /** The same, for the one who changes the salt: everybody who writes under it waits. */
  holdForNewSalt(id: string): Promise<Machine | undefined>;
  replaceSalt(id: string, kdfSalt: Uint8Array): Promise<void>;
  /** Removes the machine with its keys, APIs and tokens. @returns Whether it was there. */
  remove(id: string): Promise<boolean>;
  /** Counts encryptions, by machine, under the tenants' keys of one master key. @returns All of them so far, by machine. */
  countWrites(kid: string, encryptions: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, number>>;
}
