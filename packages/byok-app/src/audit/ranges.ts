export type RecordRangeId = '24h' | '7d' | '30d' | 'all';

export interface RecordRange {
  id: RecordRangeId;
  label: string;
  /** null: from the beginning of what is kept. */
  ms: number | null;
}

const DAY = 86_400_000;

/** How far back the record is shown; it is read from there on, as the log goes. */
export const RECORD_RANGES: readonly RecordRange[] = [
  { id: '24h', label: '24 hours', ms: DAY },
  { id: '7d', label: '7 days', ms: 7 * DAY },
  { id: '30d', label: '30 days', ms: 30 * DAY },
  { id: 'all', label: 'All', ms: null },
];

export const recordRangeOf = (id: string | undefined): RecordRange =>
  RECORD_RANGES.find((range) => range.id === id) ?? RECORD_RANGES[1]!;

/** Where to begin, seen from now; nothing for the very beginning. */
export const beginOf = ({ ms }: RecordRange, now: number): { from?: string } =>
  ms === null ? {} : { from: new Date(now - ms).toISOString() };
