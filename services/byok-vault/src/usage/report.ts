import {
  MAX_USAGE_BUCKETS,
  USAGE_STEP_MS,
  type Usage,
  type UsageQuery,
  type UsageStep,
} from '@zeq/contracts';
import { ProblemError } from '@zeq/service-kit';
import type { TallyRow } from '../store/usage-store.ts';
import { addTally, emptyTally, viewTally } from './tally.ts';

const HOUR_MS = USAGE_STEP_MS.hour;
const DAY_MS = USAGE_STEP_MS.day;

/** A stretch of whole steps, in ms since 1970. */
export interface Span {
  from: number;
  /** Exclusive. */
  to: number;
  step: UsageStep;
}

/**
 * The stretch that a query asks for, widened to whole steps.
 *
 * @throws ProblemError `invalid_query` where it ends before it begins, or has too many steps.
 */
export function spanOf(query: UsageQuery, now: Date): Span {
  const to = query.to === undefined ? now.getTime() : Date.parse(query.to);
  const from = query.from === undefined ? to - HOUR_MS : Date.parse(query.from);
  if (from >= to) throw new ProblemError('invalid_query', 'from: must be before `to`.');
  const step = query.step ?? stepFor(to - from);
  const stepMs = USAGE_STEP_MS[step];
  const span = { from: Math.floor(from / stepMs) * stepMs, to: Math.ceil(to / stepMs) * stepMs, step };
  if ((span.to - span.from) / stepMs > MAX_USAGE_BUCKETS)
    throw new ProblemError('invalid_query', `step: gives more than ${MAX_USAGE_BUCKETS} buckets.`);
  return span;
}

function stepFor(ms: number): UsageStep {
  if (ms <= 6 * HOUR_MS) return 'minute';
  return ms <= 14 * DAY_MS ? 'hour' : 'day';
}

/**
 * What was counted, step by step.
 *
 * @param rows Of any length of time; each stands in the step in which it begins.
 * @param coarseBefore Where figures by this step begin (ms since 1970).
 */
export function reportUsage(
  apiId: string,
  span: Span,
  rows: readonly TallyRow[],
  coarseBefore: number,
): Usage {
  const stepMs = USAGE_STEP_MS[span.step];
  const buckets = Array.from({ length: (span.to - span.from) / stepMs }, emptyTally);
  const total = emptyTally();
  for (const { at, ...tally } of rows) {
    addTally(buckets[Math.floor((at.getTime() - span.from) / stepMs)]!, tally);
    addTally(total, tally);
  }
  return {
    api_id: apiId,
    from: moment(span.from),
    to: moment(span.to),
    step: span.step,
    total: viewTally(total),
    buckets: buckets.map((tally, i) => ({ at: moment(span.from + i * stepMs), ...viewTally(tally) })),
    coarse_before: coarseBefore > span.from ? moment(coarseBefore) : null,
  };
}

const moment = (ms: number): string => new Date(ms).toISOString();
