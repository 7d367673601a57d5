import { z } from 'zod';
import { Moment } from './ids.ts';

export const Hex32 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 32 bytes as 64 lower-case hex digits');
export const Count = z.int().min(0);
export const Zeqond = Count.describe('floor(unix_ms / 777)');

/** Why Zeqonds are missing in front of a tick, or why ticks waited. */
export const GapReason = z.enum([
  'restart',
  'stall',
  'clock_forward',
  'clock_back',
  'store_unavailable',
  'takeover',
]);
export type GapReason = z.infer<typeof GapReason>;

export const Gap = z.object({
  after: Zeqond.describe('the last Zeqond that has a tick'),
  missed: Count.describe('Zeqonds without a tick since then; 0 for an event that cost none'),
  reason: GapReason,
});

export const TickAttestation = z.object({
  uid: z.string(),
  plat: Hex32,
  prev: Hex32.describe('the PLAT of the tick before'),
  chain: Hex32,
  depth: z.int().min(1),
  sig: z.string().regex(/^[0-9a-f]{128}$/),
  public_key: Hex32.describe('Ed25519'),
});

/** One tick. Byte layouts and how to verify it: docs/vectors/clock.md. */
export const Tick = z.object({
  type: z.literal('tick'),
  zeqond: Zeqond,
  phase: z.number(),
  phaseRadians: z.number(),
  timestamp: z.number().describe('Unix seconds with milliseconds'),
  ko42: z.number(),
  frequency: z.literal(1.287),
  connections: Count,
  gap: Gap.optional(),
  bound: Hex32.optional().describe('what the mesh ties to this moment, such as the root of its audit log'),
  tesc: TickAttestation.optional(),
});
export type Tick = z.infer<typeof Tick>;

/** Sent instead of a tick while the wall clock lies behind the chain: the chain waits, it never goes back. */
export const Hold = z.object({
  type: z.literal('hold'),
  reason: z.literal('clock_back'),
  zeqond: Zeqond.describe('of the last tick'),
  behind_ms: Count.describe('until the next tick can follow'),
  timestamp: z.number(),
});
export type Hold = z.infer<typeof Hold>;

const Lateness = z.object({ p50: z.number(), p99: z.number(), max: z.number(), samples: Count });

export const SyncStatus = z.object({
  zeqond: Zeqond,
  phase: z.number(),
  timestamp: z.number(),
  uid: z.string(),
  tesc_enabled: z.boolean(),
  role: z.enum(['leader', 'follower', 'plain']).describe('plain: no secret, so nothing is attested'),
  connections: Count,
  chain: z
    .object({
      genesis: z.object({ seed: Hex32, chain: Hex32 }),
      public_key: Hex32,
      depth: Count,
      zeqond: Zeqond,
      head: Hex32,
    })
    .nullable(),
  hold: z.object({ behind_ms: Count, since: Moment }).nullable(),
  last_gap: Gap.extend({ zeqond: Zeqond, depth: Count }).nullable(),
  store: z.enum(['ok', 'unavailable', 'none']),
  lateness_ms: Lateness,
  clock_ppm: z.number().nullable().describe('how fast the wall clock runs against the monotonic one'),
});
export type SyncStatus = z.infer<typeof SyncStatus>;

/** A whole number in a query. */
export const Whole = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** `from` and `to` are depths, both included; `from_zeqond` and `to_zeqond` the same by time. */
export const ChainQuery = z.strictObject({
  from: Whole.optional(),
  to: Whole.optional(),
  from_zeqond: Whole.optional(),
  to_zeqond: Whole.optional(),
  limit: z.coerce.number().int().min(1).max(1000).optional(),
});
export type ChainQuery = z.infer<typeof ChainQuery>;

export const ChainPage = z.object({
  uid: z.string(),
  public_key: Hex32,
  genesis: z.object({ seed: Hex32, chain: Hex32 }),
  first_depth: Count.describe('the oldest tick that is kept'),
  head: z.object({ depth: Count, zeqond: Zeqond, chain: Hex32 }),
  ticks: z.array(Tick),
  next: Count.nullable().describe('the depth to go on from; null at the end'),
});
export type ChainPage = z.infer<typeof ChainPage>;

/**
 * Asks whether a tick stands in the chain. With `context` it has to be fresh as well: of the present Zeqond ±1, and never shown
 * before in that context.
 */
export const VerifyTick = z.strictObject({
  tick: z.record(z.string(), z.json()),
  context: z.string().min(1).max(128).optional(),
});

export const TickVerdict = z.object({
  valid: z.boolean(),
  fault: z.string().nullable(),
  stored: z.boolean().describe('whether exactly this tick stands at its depth'),
  serverZeqond: Zeqond,
  drift: z.int().describe('Zeqonds by which the tick lies ahead of the server'),
});
export type TickVerdict = z.infer<typeof TickVerdict>;
