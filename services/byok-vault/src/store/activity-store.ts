import type { RecordedCall } from '@zeq/contracts';

/** A call as it is kept. */
export interface KeptCall extends Omit<RecordedCall, 'api_id'> {
  /** Rises by one from call to call of an API. */
  seq: number;
  /** Of the key or token, as they were when the call was counted. */
  caller_name: string | null;
  caller_prefix: string | null;
}

/** Where a reading goes on, and in which direction. */
export type ActivityPlace = { before: number } | { after: number };

/** The latest calls of each API. They go with it. Calls are kept in pages, as they were reported together. */
export interface ActivityStore {
  /** Appends in the given order, and removes pages of which nothing is among the latest `keep`. Each API is held. */
  append(calls: readonly RecordedCall[], keep: number): Promise<void>;
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
