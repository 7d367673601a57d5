import { z } from 'zod';
import { Moment } from './ids.ts';

/** Where the rotation of the master key stands. A key id is the first 8 bytes of a labelled hash: it tells nothing of the key. */
export const RotationStatus = z.object({
  state: z.enum(['idle', 'running', 'done', 'cancelled']).describe('idle: none was ever started'),
  done: z.boolean().describe('no credential needs another key than the current one'),
  current_kid: z.string(),
  previous_kid: z.string().nullable().describe('of ZEQ_FIELD_KEY_PREV'),
  rows_total: z.int().describe('when the run was started'),
  rows_done: z.int(),
  rows_left: z.int().describe('credentials that still need another key, without those that failed'),
  rows_failed: z.int().describe('credentials that do not open under their key: they need a new header'),
  rows_by_kid: z.array(z.object({ kid: z.string(), rows: z.int() })),
  rows_per_second: z.number().nullable().describe('of the latest run, over its whole time'),
  started_at: Moment.nullable(),
  finished_at: Moment.nullable(),
});
export type RotationStatus = z.infer<typeof RotationStatus>;

export const SaltRotation = z.object({
  rows_done: z.int(),
  rows_failed: z
    .int()
    .describe('credentials that did not open before and do not now: they need a new header'),
});
export type SaltRotation = z.infer<typeof SaltRotation>;
