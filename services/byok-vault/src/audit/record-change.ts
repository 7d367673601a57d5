import { randomBytes } from 'node:crypto';
import type { AuditChangeLeaf, AuditedWhat, Caller } from '@zeq/contracts';
import type { Stores } from '../store/store.ts';

const ID_BYTES = 16;

/** Who did it; `mesh`: nobody asked for it just then. */
export interface Actor {
  kind: 'owner' | 'platform' | 'operator' | 'mesh';
  /** The key, where the caller has one of their own. */
  id: string | null;
}

export const MESH: Actor = { kind: 'mesh', id: null };

/** @throws Error for a caller that can change nothing: its route should not have let it in. */
export function actorOf(caller: Caller): Actor {
  if (caller.kind === 'owner') return { kind: 'owner', id: caller.key_id };
  if (caller.kind === 'platform' || caller.kind === 'operator') return { kind: caller.kind, id: null };
  throw new Error(`a caller of kind ${caller.kind} changes nothing`);
}

export interface AuditedChange {
  what: AuditedWhat;
  by: Actor;
  at: Date;
  /** Null: the operator does it to all. */
  machineId: string | null;
  /** Null: it concerns every API of the machine. */
  apiIds: string[] | null;
  subjectId: string;
  /** Names and figures; never a secret. */
  details?: AuditChangeLeaf['details'];
}

/** Records a change in the transaction that makes it. */
export async function recordChange({ audit }: Pick<Stores, 'audit'>, change: AuditedChange): Promise<void> {
  const leaf: AuditChangeLeaf = {
    v: 1,
    kind: 'change',
    id: randomBytes(ID_BYTES).toString('hex'),
    at: change.at.toISOString(),
    what: change.what,
    machine_id: change.machineId,
    api_ids: change.apiIds,
    subject_id: change.subjectId,
    by: { ...change.by },
    details: change.details ?? {},
  };
  await audit.insertChange(leaf);
}
