import { z } from 'zod';
import { CallKind, CallOutcome, MAX_ACTIVITY_PATH_CHARS } from './activity.ts';
import { HISTOGRAM_PARTS } from './histogram.ts';
import { idOf } from './ids.ts';
import { StatusClasses } from './usage.ts';

/** Limits of one batch: with them its JSON stays below 4 MiB, which is what the vault reads. */
export const MAX_BATCH_MINUTES = 200;
export const MAX_BATCH_CALLS = 2_000;
export const MAX_BATCH_BYTES = 4 * 1024 * 1024;

const count = z.int().min(0);
/** The last moment that JavaScript's `Date` knows. */
const LATEST_MS = 8_640_000_000_000_000;

/** The calls of one API that ended in one minute (or that were folded into its first one), added up by one forwarder. */
export const UsageMinute = z.strictObject({
  api_id: idOf('api'),
  minute: z.int().min(0).describe('minutes since 1970 (UTC)'),
  requests: count,
  sent: count,
  status: StatusClasses,
  errors: count,
  aborted: count,
  refused: z.record(z.string().max(64), count),
  websockets: count,
  tests: count,
  bytes_in: count,
  bytes_out: count,
  latency: z
    .record(
      z.string().refine((index) => /^\d{1,3}$/.test(index) && Number(index) < HISTOGRAM_PARTS),
      count,
    )
    .describe('a histogram: see histogram.ts'),
  tokens_in: count,
  tokens_out: count,
});
export type UsageMinute = z.infer<typeof UsageMinute>;

/** One call as the forwarder saw it; the vault adds the names of key and token. */
export const RecordedCall = z.strictObject({
  api_id: idOf('api'),
  at: count.max(LATEST_MS).describe('ms since 1970 (UTC)'),
  kind: CallKind,
  caller_id: z.string().regex(/^(?:key|tok)_[0-9A-Za-z]{22}$/), // not a union of two: this is read for every call
  method: z.string().max(20),
  path: z.string().max(MAX_ACTIVITY_PATH_CHARS),
  status: z.int().min(0).max(999).describe('0: none'),
  outcome: CallOutcome,
  code: z.string().max(64).nullable(),
  duration_ms: z.number().min(0),
  bytes_in: count,
  bytes_out: count,
  tokens_in: count.nullable(),
  tokens_out: count.nullable(),
  request_id: z.string().max(128),
});
export type RecordedCall = z.infer<typeof RecordedCall>;

function areDistinct(minutes: readonly UsageMinute[]): boolean {
  return new Set(minutes.map(({ api_id, minute }) => `${api_id} ${minute}`)).size === minutes.length;
}

/**
 * `POST /internal/usage`: what a forwarder has counted since its last batch. A batch is sent until it is answered, and the next
 * one only then; so the vault knows one that it has counted before by its number.
 */
export const UsageBatch = z.strictObject({
  instance: z.string().regex(/^[0-9A-Za-z_-]{22,40}$/),
  seq: z.int().min(1),
  minutes: z
    .array(UsageMinute)
    .max(MAX_BATCH_MINUTES)
    .refine(areDistinct, 'must name each API and minute once'),
  calls: z.array(RecordedCall).max(MAX_BATCH_CALLS),
});
export type UsageBatch = z.infer<typeof UsageBatch>;

export const UsageReceipt = z.object({
  counted: z.boolean().describe('false: it had been counted before'),
});
export type UsageReceipt = z.infer<typeof UsageReceipt>;
