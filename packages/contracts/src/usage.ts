import { z } from 'zod';
import { idOf, Moment } from './ids.ts';

export const UsageStep = z.enum(['minute', 'hour', 'day']);
export type UsageStep = z.infer<typeof UsageStep>;
export const USAGE_STEP_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;
/** A day in minutes, two months in hours, four years in days. */
export const MAX_USAGE_BUCKETS = 1_500;
/** What the list of all APIs shows. */
export const SUMMARY_MINUTES = 60;

const Instant = z.iso.datetime({ offset: true });
export const Format = z.enum(['json', 'csv']);

/** `from` is inclusive, `to` exclusive; both are widened to whole steps (UTC). Without them: the last hour. */
export const UsageQuery = z.strictObject({
  from: Instant.optional().describe('default: one hour before `to`'),
  to: Instant.optional().describe('default: now'),
  step: UsageStep.optional().describe('default: minute up to 6 hours, hour up to 14 days, then day'),
  format: Format.optional().describe('csv as well with `Accept: text/csv`'),
});
export type UsageQuery = z.infer<typeof UsageQuery>;

const count = z.int().min(0);

/** Answers by the class of their status, whoever gave them; `none`: the caller left before there was one. */
export const StatusClasses = z.object({
  '1xx': count.describe('upgraded to a WebSocket'),
  '2xx': count,
  '3xx': count,
  '4xx': count,
  '5xx': count,
  none: count,
});
export type StatusClasses = z.infer<typeof StatusClasses>;

/** What some calls add up to. A call counts when it has ended. */
export const UsageFigures = z.object({
  requests: count.describe(
    'calls, whatever became of them: forwarded, refused by the mesh, WebSocket, tests',
  ),
  sent: count.describe('requests that went out to the upstream: what it has counted, too'),
  status: StatusClasses,
  errors: count.describe('answers of 400 and more, and answers that broke off'),
  aborted: count.describe('the caller left before the end; of a WebSocket: without a Close frame'),
  refused: z
    .record(z.string(), count)
    .describe('by problem code: the mesh said no, or could not get an answer'),
  websockets: count,
  tests: count.describe('calls of /test'),
  bytes_in: count.describe("of the callers' bodies and sockets"),
  bytes_out: count.describe("of the upstream's bodies and sockets, towards the callers"),
  latency_ms: z
    .object({ p50: z.number(), p95: z.number(), p99: z.number() })
    .nullable()
    .describe(
      'whole duration of the calls that were sent, sockets left out; within 1.6 %; null: there was none',
    ),
  tokens_in: count.describe('model tokens, as the answers state them'),
  tokens_out: count,
});
export type UsageFigures = z.infer<typeof UsageFigures>;

export const UsageBucket = UsageFigures.extend({ at: Moment.describe('its beginning') });
export type UsageBucket = z.infer<typeof UsageBucket>;

/** `GET …/:id/usage` */
export const Usage = z.object({
  api_id: idOf('api'),
  from: Moment,
  to: Moment,
  step: UsageStep,
  total: UsageFigures.describe('of all buckets; its percentiles are those of all calls, not of the buckets'),
  buckets: z.array(UsageBucket).describe('every step from `from` to `to`, also where nothing was called'),
  coarse_before: Moment.nullable().describe(
    'figures before this moment are kept by the hour or day only, and stand in the first bucket of that hour or day; null: none',
  ),
});
export type Usage = z.infer<typeof Usage>;

/** `GET /api/zeq/usage/:slug`: the last hour of every API that was called in it, for the list. */
export const UsageSummary = z.object({
  from: Moment.describe('the beginning of the first minute'),
  apis: z.array(
    z.object({
      api_id: idOf('api'),
      requests: z.array(count).length(SUMMARY_MINUTES).describe('by minute; the last one is not over yet'),
      errors: z.array(count).length(SUMMARY_MINUTES),
    }),
  ),
});
export type UsageSummary = z.infer<typeof UsageSummary>;
