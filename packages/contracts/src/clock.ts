import { z } from 'zod';
import { Moment } from './ids.ts';
import type { RouteSpec } from './routes.ts';

const Hex32 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 32 bytes as 64 lower-case hex digits');
const Count = z.int().min(0);
const Zeqond = Count.describe('floor(unix_ms / 777)');

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

const whole = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** `from` and `to` are depths, both included; `from_zeqond` and `to_zeqond` the same by time. */
export const ChainQuery = z.strictObject({
  from: whole.optional(),
  to: whole.optional(),
  from_zeqond: whole.optional(),
  to_zeqond: whole.optional(),
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

// TESC: messages that count only in their moment

export const ChannelId = z.string().regex(/^tsc_[0-9A-Za-z]{22}$/, 'must be a channel id (tsc_…)');
export const TescUid = z
  .string()
  .regex(/^TESC-[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}$/, 'must be TESC-XXXX-XXXX-XXXX');

export const ChannelSecret = z
  .string()
  .max(1024)
  .refine((text) => [...text].length >= 32, 'must be at least 32 characters');

export const CreateChannel = z.strictObject({
  name: z.string().min(1).max(255).optional(),
  secret: ChannelSecret.optional().describe(
    'generated when it is missing; either way the answer is the only one that shows it',
  ),
  message_ttl_seconds: z.int().min(60).max(604_800).default(86_400),
});
export type CreateChannel = z.infer<typeof CreateChannel>;

export const Channel = z.object({
  id: ChannelId,
  name: z.string().nullable(),
  owner: z.boolean().describe('whether the caller created it'),
  created_at: Moment,
  message_ttl_seconds: z.int(),
  key_version: z.int().min(1),
  overlap_until: Moment.nullable().describe('until when the previous secret still counts'),
  members: z.array(z.object({ uid: TescUid, plat: Hex32.describe('the last PLAT'), joined_at: Moment })),
  depth: Count,
  chain: Hex32,
});
export type Channel = z.infer<typeof Channel>;

/** Where the server's clock stands, as seen from a client's Zeqond. In answers, and as members of refusals. */
export const ClockOffset = z.object({
  serverZeqond: Zeqond,
  serverPhase: z.number(),
  drift: z.int().describe('client Zeqond minus server Zeqond'),
  correctionMs: z.int().describe('what the client adds to its clock'),
});
export type ClockOffset = z.infer<typeof ClockOffset>;

export const ClockQuery = z.strictObject({
  zeqond: whole.optional(),
  phase: z.coerce.number().min(0).max(0.999_999_999).optional(),
});

/** Proof of knowing the secret: the secret itself, or a PLAT over "join" made with it. */
export const JoinChannel = z.union([
  z.strictObject({ secret: ChannelSecret }),
  z.strictObject({ uid: TescUid, zeqond: Zeqond, plat: Hex32, phase: z.number().min(0).lt(1).optional() }),
]);
export type JoinChannel = z.infer<typeof JoinChannel>;

export const Joined = ClockOffset.extend({
  uid: TescUid,
  plat: Hex32.describe('what the first message of this sender follows'),
  zeqond: Zeqond,
  key_version: z.int(),
});

/** 12 bytes, and at most 16,384 bytes with a tag of 16, as base64url. */
const Iv = z.string().regex(/^[A-Za-z0-9_-]{16}$/);
const Ciphertext = z
  .string()
  .min(22)
  .max(21_867)
  .regex(/^[A-Za-z0-9_-]+$/);

export const SendMessage = z.union([
  z.strictObject({ uid: TescUid, message: z.string().max(16_384) }),
  z.strictObject({
    uid: TescUid,
    zeqond: Zeqond,
    phase: z.number().min(0).lt(1).optional(),
    prev: Hex32,
    iv: Iv,
    ciphertext: Ciphertext,
    plat: Hex32,
    key_version: z.int().min(1).optional(),
  }),
]);
export type SendMessage = z.infer<typeof SendMessage>;

export const TescMessage = z.object({
  type: z.literal('message'),
  seq: z.int().min(1),
  channel: ChannelId,
  uid: TescUid,
  zeqond: Zeqond,
  prev: Hex32,
  iv: Iv,
  ciphertext: Ciphertext,
  plat: Hex32,
  chain: Hex32,
  key_version: z.int(),
  received_at: Moment,
  expires_at: Moment,
  message: z
    .string()
    .optional()
    .describe('the text, when it was asked for with open=1 and the secret still counts'),
});
export type TescMessage = z.infer<typeof TescMessage>;

export const SentMessage = ClockOffset.extend({
  seq: z.int(),
  plat: Hex32,
  chain: Hex32,
  zeqond: Zeqond,
  iv: Iv,
  ciphertext: Ciphertext,
  expires_at: Moment,
});

export const MessagesQuery = z.strictObject({
  after: whole.default(0),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  wait: z.coerce
    .number()
    .int()
    .min(0)
    .max(25)
    .default(0)
    .describe('seconds to wait for a first message; below what proxies allow for silence'),
  open: z.enum(['0', '1']).default('0'),
});

export const MessageList = z.object({ messages: z.array(TescMessage), next: Count, serverZeqond: Zeqond });

export const RotateChannel = z.strictObject({
  secret: ChannelSecret.optional(),
  overlap_seconds: z.int().min(0).max(86_400).default(60),
});

export const NewSecret = z.object({ channel: Channel, secret: z.string().describe('shown once') });
export const ChannelList = z.object({ channels: z.array(Channel) });

const sync = { service: 'sync-engine', audience: 'public', tag: 'clock' } as const;
const tesc = { service: 'sync-engine', audience: 'bearer', tag: 'tesc' } as const;

export const CLOCK_ROUTES: readonly RouteSpec[] = [
  {
    ...sync,
    method: 'GET',
    path: '/ws',
    summary: 'Ticks over WebSocket, one every 777 ms',
    success: { status: 101 },
  },
  {
    ...sync,
    method: 'GET',
    path: '/sync/ticks',
    summary: 'Ticks as server-sent events',
    success: { status: 200, type: 'text/event-stream' },
  },
  {
    ...sync,
    method: 'GET',
    path: '/sync/status',
    summary: 'Where clock and chain stand, and how late ticks were',
    success: { status: 200, body: SyncStatus },
  },
  {
    ...sync,
    method: 'GET',
    path: '/sync/chain',
    summary: 'The stored chain, page by page',
    query: ChainQuery,
    success: { status: 200, body: ChainPage },
  },
  {
    ...sync,
    method: 'POST',
    path: '/sync/verify',
    summary: 'Does this tick stand in the chain, and is it fresh?',
    body: VerifyTick,
    success: { status: 200, body: TickVerdict },
  },
  {
    ...sync,
    method: 'GET',
    path: '/sync/health',
    summary: 'Is the clock alive?',
    success: { status: 200 },
  },
  {
    ...tesc,
    audience: 'public',
    method: 'GET',
    path: '/api/tesc/clock',
    summary: 'How far is my clock off?',
    query: ClockQuery,
    success: { status: 200, body: ClockOffset },
  },
  {
    ...tesc,
    method: 'GET',
    path: '/api/tesc/channels',
    summary: 'The channels this machine owns or joined',
    success: { status: 200, body: ChannelList },
  },
  {
    ...tesc,
    method: 'POST',
    path: '/api/tesc/channels',
    summary: 'Open a channel; its secret is shown once',
    body: CreateChannel,
    success: { status: 201, body: NewSecret },
  },
  {
    ...tesc,
    method: 'GET',
    path: '/api/tesc/channels/:id',
    summary: 'Show a channel; never its secret',
    success: { status: 200, body: Channel },
  },
  {
    ...tesc,
    method: 'DELETE',
    path: '/api/tesc/channels/:id',
    summary: 'Remove it with its messages (its creator)',
    success: { status: 204 },
  },
  {
    ...tesc,
    method: 'POST',
    path: '/api/tesc/channels/:id/join',
    summary: 'Join with the secret, or with a PLAT made from it',
    body: JoinChannel,
    success: { status: 201, body: Joined },
  },
  {
    ...tesc,
    method: 'POST',
    path: '/api/tesc/channels/:id/rotate',
    summary: 'Change the secret (its creator); the old one counts until the overlap ends',
    body: RotateChannel,
    success: { status: 200, body: NewSecret },
  },
  {
    ...tesc,
    method: 'POST',
    path: '/api/tesc/channels/:id/messages',
    summary: 'Send a message: sealed by the client, or as text',
    body: SendMessage,
    success: { status: 201, body: SentMessage },
  },
  {
    ...tesc,
    method: 'GET',
    path: '/api/tesc/channels/:id/messages',
    summary: 'Receive; waits for a first message when asked to',
    query: MessagesQuery,
    success: { status: 200, body: MessageList },
  },
  {
    ...tesc,
    method: 'GET',
    path: '/api/tesc/channels/:id/stream',
    summary: 'Receive as server-sent events; Last-Event-ID goes on where it stopped',
    success: { status: 200, type: 'text/event-stream' },
  },
  {
    ...tesc,
    method: 'GET',
    path: '/api/tesc/channels/:id/ws',
    summary: 'Send and receive over WebSocket',
    success: { status: 101 },
  },
];
