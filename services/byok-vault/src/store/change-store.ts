import type { Change } from '@zeq/contracts';

/** A change before it has its number. */
export type NewChange = Pick<Change, 'what' | 'machine_id' | 'id'>;

/** Where the log stands. The epoch names this very log: numbers of another one mean nothing. */
export interface LogHead {
  epoch: string;
  seq: number;
}

/** The log of changes that others have to hear of. */
export interface ChangeStore {
  /** Appends in the running transaction, and tells everybody who listens once it is committed. */
  append(change: NewChange): Promise<void>;
  head(): Promise<LogHead>;
  /** What follows `seq`, oldest first, at most `limit`. */
  since(seq: number, limit: number): Promise<Change[]>;
  /** Which of these ids name no API, key or app token any more, or one that has expired: for readers that may have missed changes. */
  gone(ids: readonly string[], now: Date): Promise<string[]>;
  /** Forgets everything up to and including `seq`. */
  forget(seq: number): Promise<void>;
}

/** The channel on which an append is announced, by the trigger `change_number`. */
export const CHANGES_CHANNEL = 'zeq_changes';
