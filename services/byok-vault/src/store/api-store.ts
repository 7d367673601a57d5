import type { SealedField } from '@zeq/crypto';
import type { Page, PageRequest } from './store.ts';

/**
 * A registered API as it is stored. Structured values are JSON text here, exactly as the row holds it: all of these columns are
 * bound to the credential, so that they have to be the same bytes when it is opened.
 */
export interface ApiRow {
  id: string;
  machineId: string;
  name: string;
  provider: string | null;
  baseUrl: string;
  baseOrigin: string;
  authShape: string | null;
  authHint: string | null;
  warnings: string;
  rateLimitPerMin: number;
  extraHeaders: string;
  policy: string;
  schema: string | null;
  createdAt: Date;
  updatedAt: Date;
  /** The encrypted credential: auth_header_enc, auth_header_iv, auth_header_kid. */
  credential: SealedField | null;
}

/** A row with what is needed of its machine to open the credential, read at the same moment. */
export type StoredApi = ApiRow & { slug: string; tenantSalt: Buffer };

/** How many credentials are under one master key. */
export interface KidCount {
  kid: string;
  rows: number;
}

/** Rows belong to a machine: every read takes its id, so no query can cross tenants. */
export interface ApiStore {
  /** @throws ProblemError `name_taken`; `not_found` when the machine is gone. */
  insert(row: ApiRow): Promise<void>;
  find(machineId: string, idOrName: string): Promise<StoredApi | undefined>;
  /** Reads a row and keeps others from changing it until the end of the transaction. */
  hold(machineId: string, idOrName: string): Promise<StoredApi | undefined>;
  list(machineId: string, page: PageRequest): Promise<Page<StoredApi>>;
  /** Writes every column of an existing row. @throws ProblemError `name_taken` */
  update(row: ApiRow): Promise<void>;
  /** Removes the row, ciphertext and all. @returns Whether it was there. */
  remove(machineId: string, id: string): Promise<boolean>;
}
