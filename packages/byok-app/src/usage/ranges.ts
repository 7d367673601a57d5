import type { UsageQuery, UsageStep } from '@zeq/contracts';

export type RangeId = '1h' | '6h' | '24h' | '7d' | '30d';

export interface Range {
  id: RangeId;
  label: string;
  ms: number;
  step: UsageStep;
  /** How often it is asked for again while it is looked at (ms). */
  everyMs: number;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Each in steps that can still be told apart as bars on a screen. */
export const RANGES: readonly [Range, ...Range[]] = [
  { id: '1h', label: '1 hour', ms: HOUR, step: 'minute', everyMs: 5_000 },
  { id: '6h', label: '6 hours', ms: 6 * HOUR, step: 'minute', everyMs: 15_000 },
  { id: '24h', label: '24 hours', ms: DAY, step: 'hour', everyMs: 60_000 },
  { id: '7d', label: '7 days', ms: 7 * DAY, step: 'hour', everyMs: 60_000 },
  { id: '30d', label: '30 days', ms: 30 * DAY, step: 'day', everyMs: 60_000 },
];

export const rangeOf = (id: string | undefined): Range =>
  RANGES.find((range) => range.id === id) ?? RANGES[0];

/** What to ask for, seen from now: the step that has begun is part of it. */
export function queryOf({ ms, step }: Range, now: number): UsageQuery {
  return { from: new Date(now - ms).toISOString(), to: new Date(now).toISOString(), step };
}
