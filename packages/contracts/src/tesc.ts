import { z } from 'zod';
import { Count, Hex32, Whole, Zeqond } from './clock.ts';
import { Moment } from './ids.ts';

/** TESC: messages that count only in their moment. Layouts: docs/vectors/clock.md. */
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
  zeqond: Whole.optional(),
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
  after: Whole.default(0),
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
