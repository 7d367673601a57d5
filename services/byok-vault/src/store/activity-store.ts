import type { ActivityEntry, ActivityQuery, RecordedCall } from '@zeq/contracts';

/** A call as it is kept. */
export interface KeptCall extends Omit<RecordedCall, 'api_id' | 'at'> {
  /** Rises by one from call to call of an API. */
  seq: number;
  at: Date;
  callerName: string | null;
  callerPrefix: string | null;
}

export interface ActivityWindow extends Pick<ActivityQuery, 'status' | 'outcome' | 'said_no' | 'kind'> {
  /** Only numbers below it; with `after`, only those above that. */
  before: number | undefined;
  after: number | undefined;
  limit: number;
  caller: ActivityEntry['caller']['id'] | undefined;
  method: string | undefined;
  /** Text that the path holds, in any case. */
  path: string | undefined;
}

/** The latest calls of each API. They go with it. */
export interface ActivityStore {
  /** Appends in the given order, and removes what is older than the latest `keep`. Each API is held. */
  append(calls: readonly RecordedCall[], keep: number): Promise<void>;
  /** The number of the latest call; 0 before the first. */
  head(apiId: string): Promise<number>;
  /** Newest first; with `after`, the oldest ones above it, in their order. */
  read(apiId: string, window: ActivityWindow): Promise<KeptCall[]>;
}
