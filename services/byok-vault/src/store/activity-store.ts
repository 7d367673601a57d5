import type { HashedCall, RecordedCall } from '@zeq/contracts';

/** A call as it is kept. */
export interface KeptCall extends HashedCall {
  /** Rises by one from call to call of an API. */
  seq: number;
}

/** Where a reading goes on, and in which direction. */
export type ActivityPlace = { before: number } | { after: number };

/** Calls of one API that were reported together. */
export interface NumberedPage {
  apiId: string;
  /** The number of the first of them. */
  first: number;
  /** Canonical JSON (RFC 8785) of each, as it is hashed and kept. */
  calls: string[];
}

/** A page with its owner, and the hash of what the audit log says of it. */
export interface RecordedPage extends NumberedPage {
  machineId: string;
  leafHash: Buffer;
}

/** The calls of each API, in pages, as they were reported together. */
export interface ActivityStore {
  /** Numbers calls in the given order; until the end of the transaction nobody else numbers calls of the same APIs. */
  number(calls: readonly RecordedCall[]): Promise<NumberedPage[]>;
  /** Keeps what was numbered in this transaction; its leaves are appended to the audit log when it commits. */
  insert(pages: readonly RecordedPage[]): Promise<void>;
  /** The number of the latest call; 0 before the first. */
  head(apiId: string): Promise<number>;
  /**
   * The next calls, of up to so many pages: with `before` the latest of those with smaller numbers, falling; with `after` the
   * earliest of those with larger ones, rising.
   *
   * @returns Nothing when there is none left.
   */
  read(apiId: string, place: ActivityPlace, pages: number): Promise<KeptCall[]>;
}
