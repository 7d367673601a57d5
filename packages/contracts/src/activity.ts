import { z } from 'zod';
import { idOf, Moment } from './ids.ts';
import { Format } from './usage.ts';

/** The latest calls that are kept of each API. */
export const ACTIVITY_KEPT = 10_000;
/** A longer path is cut here. */
export const MAX_ACTIVITY_PATH_CHARS = 256;

export const CallKind = z.enum(['call', 'websocket', 'test']);
export type CallKind = z.infer<typeof CallKind>;

/**
 * How a call ended: `ok`: the upstream's answer was handed over whole, whatever its status; `aborted`: the caller left;
 * `refused`: the mesh answered itself, `code` says why; `broken`: an answer that had begun was cut off, `code` says why.
 */
export const CallOutcome = z.enum(['ok', 'aborted', 'refused', 'broken']);
export type CallOutcome = z.infer<typeof CallOutcome>;

const Cursor = z.string().regex(/^[0-9]{1,15}$/, 'must be a cursor of an earlier answer');
const count = z.int().min(0);

/** Filters go together; each narrows. */
export const ActivityQuery = z.strictObject({
  before: Cursor.optional().describe('older than this: the `next` of the page before'),
  after: Cursor.optional().describe(
    'newer than this: the `latest` of the answer before; ask again to follow live',
  ),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(ACTIVITY_KEPT)
    .optional()
    .describe('default: 100, as CSV everything that is kept'),
  status: z
    .enum(['1xx', '2xx', '3xx', '4xx', '5xx', 'none'])
    .optional()
    .describe('none: there was no answer'),
  outcome: CallOutcome.optional(),
  said_no: z.enum(['mesh', 'upstream']).optional(),
  kind: CallKind.optional(),
  caller: z.union([idOf('key'), idOf('tok')]).optional(),
  method: z
    .string()
    .regex(/^[A-Z]{1,20}$/)
    .optional(),
  path: z.string().min(1).max(MAX_ACTIVITY_PATH_CHARS).optional().describe('text that the path holds'),
  format: Format.optional().describe('csv as well with `Accept: text/csv`'),
});
export type ActivityQuery = z.infer<typeof ActivityQuery>;

/** One call. It never holds a query, a header, a body or a secret. */
export const ActivityEntry = z.object({
  id: Cursor.describe('a number that rises within its API'),
  at: Moment.describe('when the call began'),
  kind: CallKind,
  caller: z.object({
    kind: z.enum(['key', 'token']),
    id: z.string(),
    name: z.string().nullable().describe('as it was then; null when it had been revoked already'),
    prefix: z.string().nullable(),
  }),
  method: z.string(),
  path: z
    .string()
    .describe(
      'without its query; segments that look like a secret are [redacted], and 256 characters are kept',
    ),
  status: z.int().nullable().describe('null: the caller left before there was one'),
  outcome: CallOutcome,
  said_no: z
    .enum(['mesh', 'upstream'])
    .nullable()
    .describe('who refused or failed: the mesh, or the upstream with a status of 400 and more'),
  code: z.string().nullable().describe('the problem code, where the mesh said no'),
  duration_ms: z.number(),
  bytes_in: count,
  bytes_out: count,
  tokens_in: count.nullable().describe('model tokens; null where the answer states none'),
  tokens_out: count.nullable(),
  request_id: z.string(),
});
export type ActivityEntry = z.infer<typeof ActivityEntry>;

/** `GET …/:id/activity`: the newest first. With `after`, those that follow it directly. */
export const ActivityPage = z.object({
  entries: z.array(ActivityEntry),
  next: Cursor.nullable().describe('into `before` for what is older; null: there is nothing older'),
  latest: Cursor.describe('into `after` for what comes later'),
});
export type ActivityPage = z.infer<typeof ActivityPage>;
