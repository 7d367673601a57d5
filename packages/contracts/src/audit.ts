import { z } from 'zod';
import { CallKind, CallOutcome } from './activity.ts';
import { Count, Hex32, Zeqond } from './clock.ts';
import { idOf, Moment } from './ids.ts';

/** What is written down beside the calls: every change to a credential, and to who may use it. */
export const AuditedWhat = z.enum([
  'machine_created',
  'machine_removed',
  'key_minted',
  'key_revoked',
  'api_registered',
  'api_changed',
  'api_removed',
  'token_minted',
  'token_revoked',
  'salt_rotated',
  'rotation_started',
  'rotation_cancelled',
  'rotation_finished',
]);
export type AuditedWhat = z.infer<typeof AuditedWhat>;

const Cursor = z.string().regex(/^[0-9]{1,15}\.[0-9]{1,15}$/, 'must be the `next` of an earlier answer');
const Path = z.array(Hex32).max(53);

export const MAX_AUDIT_ENTRIES = 500;

export const AuditQuery = z.strictObject({
  from: Moment.optional().describe('recorded at this moment or later'),
  to: Moment.optional().describe('recorded before this moment'),
  after: Cursor.optional().describe('the `next` of the answer before'),
  call: z
    .string()
    .regex(/^[1-9][0-9]{0,14}$/, 'must be the number of a call')
    .optional()
    .describe('this one call: the `id` that it has in the activity'),
  limit: z.coerce.number().int().min(1).max(MAX_AUDIT_ENTRIES).optional().describe('default: 100'),
});
export type AuditQuery = z.infer<typeof AuditQuery>;

export const AuditHead = z.object({
  size: Count.describe('leaves of the log'),
  root: Hex32.describe('of the Merkle tree over them (RFC 6962)'),
  zeqond: Zeqond.nullable().describe(
    'when the clock first took it: the attested ticks after this one bind it; null where no clock does',
  ),
});
export type AuditHead = z.infer<typeof AuditHead>;

/** A call as it was hashed: its canonical JSON (RFC 8785) is a leaf in the tree of its page. */
export const HashedCall = z.object({
  at: Count.describe('when it began, ms since 1970 (UTC)'),
  kind: CallKind,
  caller_id: z.string(),
  caller_name: z.string().nullable(),
  caller_prefix: z.string().nullable(),
  method: z.string(),
  path: z.string(),
  status: z.int(),
  outcome: CallOutcome,
  code: z.string().nullable(),
  duration_ms: z.number(),
  bytes_in: Count,
  bytes_out: Count,
  tokens_in: Count.nullable(),
  tokens_out: Count.nullable(),
  request_id: z.string(),
});
export type HashedCall = z.infer<typeof HashedCall>;

/** Calls of one API that were reported together: its canonical JSON is a leaf of the log. */
export const AuditPageLeaf = z.object({
  v: z.literal(1),
  kind: z.literal('calls'),
  machine_id: idOf('mch'),
  api_id: idOf('api'),
  first: z.int().min(1).describe('number of the first; they rise by one, so that a missing one shows'),
  calls: z.int().min(1),
  root: Hex32.describe('of the Merkle tree over its calls'),
});

/** A change: its canonical JSON is a leaf of the log. It never holds a secret. */
export const AuditChangeLeaf = z.object({
  v: z.literal(1),
  kind: z.literal('change'),
  id: z.string().regex(/^[0-9a-f]{32}$/),
  at: Moment,
  what: AuditedWhat,
  machine_id: idOf('mch').nullable().describe('null: the operator did it to all'),
  api_ids: z.array(idOf('api')).nullable().describe('null: it concerns every API of the machine'),
  subject_id: z.string(),
  by: z.object({
    kind: z.enum(['owner', 'platform', 'operator', 'mesh']),
    id: z.string().nullable().describe('the key; null where the caller has no id of its own'),
  }),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.null(), z.array(z.string())])),
});

export type AuditChangeLeaf = z.infer<typeof AuditChangeLeaf>;

export const AuditedCall = z.object({
  kind: z.literal('call'),
  leaf: Count.describe('the place of its page in the log'),
  number: z.int().min(1).describe('the `id` that it has in the activity'),
  recorded_at: Moment,
  call: HashedCall,
  page: AuditPageLeaf,
  page_path: Path.describe('from the call to the root of its page'),
  path: Path.describe('from the page to the root of the log'),
});

export const AuditedChange = z.object({
  kind: z.literal('change'),
  leaf: Count,
  recorded_at: Moment,
  change: AuditChangeLeaf,
  path: Path.describe('from the change to the root of the log'),
});

export const AuditEntry = z.discriminatedUnion('kind', [AuditedCall, AuditedChange]);
export type AuditEntry = z.infer<typeof AuditEntry>;

/** `GET …/:id/audit`: in the order of the log, oldest first. How to check it: docs/audit.md. */
export const AuditPage = z.object({
  api_id: idOf('api'),
  head: AuditHead,
  entries: z.array(AuditEntry),
  next: Cursor.nullable().describe('into `after` for what follows; null: nothing does, so far'),
});
export type AuditPage = z.infer<typeof AuditPage>;

export const AuditHeadQuery = z.strictObject({
  since: z.coerce
    .number()
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('a size of before: the answer then shows that the log only grew since'),
});
export type AuditHeadQuery = z.infer<typeof AuditHeadQuery>;

/** `GET /api/zeq/audit/head` */
export const AuditGrowth = z.object({
  head: AuditHead,
  path: Path.nullable().describe('from `since` to the head (RFC 6962, section 2.1.2); null without `since`'),
});
export type AuditGrowth = z.infer<typeof AuditGrowth>;

/** `POST /internal/audit/close`: the clock takes the head of the log for its next tick. */
export const CloseAudit = z.strictObject({ zeqond: Zeqond });
export type CloseAudit = z.infer<typeof CloseAudit>;
