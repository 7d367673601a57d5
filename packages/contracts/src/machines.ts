import { z } from 'zod';
import { idOf, Label, Moment, Slug } from './ids.ts';

export const Machine = z.object({
  id: idOf('mch'),
  slug: Slug,
  display_name: z.string(),
  created_at: Moment,
});
export type Machine = z.infer<typeof Machine>;

export const CreateMachine = z.strictObject({
  slug: Slug,
  display_name: Label.optional(),
});
export type CreateMachine = z.infer<typeof CreateMachine>;

/** What a machine key may do under its own slug: everything, forward and read, or read only. */
export const KeyScope = z.enum(['owner', 'forward', 'read']);
export type KeyScope = z.infer<typeof KeyScope>;

export const MachineKey = z.object({
  id: idOf('key'),
  name: z.string(),
  prefix: z.string(),
  scope: KeyScope,
  created_at: Moment,
  expires_at: Moment.nullable(),
});
export type MachineKey = z.infer<typeof MachineKey>;

export const MintKey = z.strictObject({
  name: Label.optional(),
  scope: KeyScope.default('owner'),
  expires_at: Moment.optional(),
});
export type MintKey = z.infer<typeof MintKey>;

/** The one answer that carries a machine key: it is shown once and only its SHA-256 is stored. */
export const MintedKey = z.object({ key: MachineKey, api_key: z.string().startsWith('zsm_') });
export type MintedKey = z.infer<typeof MintedKey>;
export const CreatedMachine = z.object({ machine: Machine, api_key: z.string().startsWith('zsm_') });

export const KeyList = z.object({ keys: z.array(MachineKey) });
export const MachineList = z.object({ machines: z.array(Machine), next: z.string().nullable() });

/** What a session, or a machine key, may learn of itself. */
export const SessionInfo = z.object({
  machine: z.object({ slug: Slug }),
  scope: KeyScope,
  expires_at: Moment.nullable().describe('of the session; null when the key itself was presented'),
});
export type SessionInfo = z.infer<typeof SessionInfo>;

/** The page sends it with every request. A cookie counts only beside it: no foreign page can add it without being asked. */
export const PAGE_HEADER = 'x-zeq-page';

export const SessionGrant = z.object({
  token: z.string(),
  token_type: z.literal('Bearer'),
  expires_at: Moment,
  machine: z.object({ slug: Slug }),
});
