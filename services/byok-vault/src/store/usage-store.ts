import type { UsageMinute } from '@zeq/contracts';

/** Sums over calls, with the names they have on the wire; whatever the length of time, they are added up alike. */
export type Tally = Omit<UsageMinute, 'api_id' | 'minute'>;

/** What of a tally is one number; the rest are counts by name. */
export const COUNTS = [
  'requests',
  'sent',
  'errors',
  'aborted',
  'websockets',
  'tests',
  'bytes_in',
  'bytes_out',
  'tokens_in',
  'tokens_out',
] as const satisfies readonly (keyof Tally)[];

/** What was counted of one API from a moment on. */
export interface TallyRow extends Tally {
  at: Date;
}

/** The lengths of time by which counts are kept, from the finest on. */
export const KEPT_BY = ['minute', 'hour', 'day'] as const;
export type KeptBy = (typeof KEPT_BY)[number];

/** Requests and errors of one API in one minute. */
export interface MinuteCount {
  apiId: string;
  at: Date;
  requests: number;
  errors: number;
}

/** How much each API was used. An API's counts go with it. */
export interface UsageStore {
  /**
   * Takes note of a forwarder's batch, in the transaction that counts it.
   *
   * @returns false when that batch, or a later one, was counted before.
   */
  takeBatch(instance: string, seq: number): Promise<boolean>;
  /** @returns Those of the APIs that exist; until the end of the transaction none of them is removed. */
  holdApis(apiIds: readonly string[]): Promise<Set<string>>;
  /** Adds to what was counted. Each API and minute stands there once, and each API is held. */
  add(minutes: readonly UsageMinute[]): Promise<void>;
  /** Everything counted from `from` up to `to`, each count once, by whatever length of time it is kept; in order. */
  read(apiId: string, from: Date, to: Date): Promise<TallyRow[]>;
  /** Every API of a machine, by minute. */
  readMinutes(machineId: string, from: Date): Promise<MinuteCount[]>;
  /**
   * Moves counts that began before a moment to the next longer time.
   *
   * @returns How many rows were moved, at most `limit`.
   */
  fold(from: 'minute' | 'hour', before: Date, limit: number): Promise<number>;
  /** Removes days that began before a moment. */
  forgetDays(before: Date): Promise<void>;
  /** Removes forwarders that were not heard since. */
  forgetSources(before: Date): Promise<void>;
  /** @returns Whether nobody else is cleaning up: for this transaction the work is ours. */
  tryHousekeeping(): Promise<boolean>;
}
