import type { ActivityEntry, ActivityPage } from '@zeq/contracts';

/** More are not kept by the mesh either. */
export const MOST_CALLS = 10_000;

/** The calls that are known, the newest first. */
export interface Calls {
  entries: readonly ActivityEntry[];
  /** Came since, and is not shown yet: somebody reads further down, and the ground must not move. */
  waiting: readonly ActivityEntry[];
  /** Where the older ones begin; null: these are all. */
  next: string | null;
  /** Where the newer ones begin. */
  latest: string;
}

export const firstCalls = ({ entries, next, latest }: ActivityPage): Calls => ({
  entries,
  waiting: [],
  next,
  latest,
});

export const withOlder = (calls: Calls, { entries, next }: ActivityPage): Calls => ({
  ...calls,
  entries: [...calls.entries, ...entries].slice(0, MOST_CALLS),
  next: calls.entries.length + entries.length >= MOST_CALLS ? null : next,
});

/** @param isReading Somebody is not at the top of the list: what is new waits. */
export function withNewer(calls: Calls, { entries, latest }: ActivityPage, isReading: boolean): Calls {
  if (entries.length === 0) return calls.latest === latest ? calls : { ...calls, latest };
  const next = { ...calls, latest, waiting: [...entries, ...calls.waiting].slice(0, MOST_CALLS) };
  return isReading ? next : withWaiting(next);
}

/** Shows what has waited. */
export const withWaiting = (calls: Calls): Calls =>
  calls.waiting.length === 0
    ? calls
    : { ...calls, waiting: [], entries: [...calls.waiting, ...calls.entries].slice(0, MOST_CALLS) };
