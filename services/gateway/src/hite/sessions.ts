import type { HiteSession } from '@zeq/crypto';

/** Sessions that a mesh keeps at once; beyond, those give way that have carried nothing yet. */
export const MAX_SESSIONS = 50_000;

/** What became of a counter. */
export type Taken = 'accepted' | 'replayed' | 'unknown';

/** The sessions of the channel, in the process or shared by all replicas. */
export interface HiteSessions {
  /** @throws ProblemError `overloaded` when there is no room, `hite_unavailable` when the store is away. */
  add(session: HiteSession): Promise<void>;
  /** @returns Undefined for one that is unknown or over. @throws ProblemError `hite_unavailable` */
  find(id: string): Promise<HiteSession | undefined>;
  /**
   * Takes a counter, once over all replicas. Only for a frame that opened: a forged one must not move the window.
   *
   * @throws ProblemError `hite_unavailable` when nobody can say whether it was taken before.
   */
  take(id: string, counter: number): Promise<Taken>;
}
