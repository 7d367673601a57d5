import { randomBytes } from 'node:crypto';
import type { CreateMachine, MintKey } from '@zeq/contracts';
import { mintToken, newId } from '@zeq/crypto';
import { ProblemError } from '@zeq/service-kit';
import { notFound } from '../apis/not-found.ts';
import { type Actor, recordChange } from '../audit/record-change.ts';
import type { MachineKey } from '../store/key-store.ts';
import type { Machine } from '../store/machine-store.ts';
import type { Store } from '../store/store.ts';

const SALT_BYTES = 32;

export interface MachineDeps {
  store: Store;
  now: () => Date;
}

/** A key just made: `apiKey` is in this answer and nowhere else. */
export interface NewKey {
  key: MachineKey;
  apiKey: string;
}

/** Creates a tenant with its own salt and its first key. @throws ProblemError `slug_taken` */
export async function createMachine(
  { store, now }: MachineDeps,
  input: CreateMachine,
  by: Actor,
): Promise<NewKey & { machine: Machine }> {
  const machine = newMachine(input.slug, input.display_name ?? input.slug, now());
  const { key, apiKey } = newKey(machine.id, { scope: 'owner', name: 'first key' }, now());
  await store.atomically(async (stores) => {
    await stores.machines.insert(machine);
    await stores.keys.insert(key);
    await recordChange(stores, machineCreated(machine, by));
    await recordChange(stores, keyMinted(key, by));
  });
  return { machine, key, apiKey };
}

export const machineCreated = (machine: Machine, by: Actor) =>
  ({
    what: 'machine_created',
    by,
    at: machine.createdAt,
    machineId: machine.id,
    apiIds: null,
    subjectId: machine.id,
    details: { slug: machine.slug },
  }) as const;

const keyMinted = (key: MachineKey, by: Actor) =>
  ({
    what: 'key_minted',
    by,
    at: key.createdAt,
    machineId: key.machineId,
    apiIds: null,
    subjectId: key.id,
    details: { scope: key.scope, prefix: key.prefix, expires_at: key.expiresAt?.toISOString() ?? null },
  }) as const;

export const newMachine = (slug: string, displayName: string, createdAt: Date): Machine => ({
  id: newId('mch'),
  slug,
  displayName,
  kdfSalt: randomBytes(SALT_BYTES),
  createdAt,
});

/** @throws ProblemError `invalid_body` for an expiry that has passed; `not_found` when the machine is gone. */
export async function mintKey(
  { store, now }: MachineDeps,
  machineId: string,
  input: MintKey,
  by: Actor,
): Promise<NewKey> {
  const minted = newKey(machineId, input, now());
  await store.atomically(async (stores) => {
    await stores.keys.insert(minted.key);
    await recordChange(stores, keyMinted(minted.key, by));
  });
  return minted;
}

function newKey(machineId: string, input: MintKey, createdAt: Date): NewKey {
  const { token, sha256, prefix } = mintToken('zsm_');
  const key: MachineKey = {
    id: newId('key'),
    machineId,
    name: input.name ?? `${input.scope} key`,
    prefix,
    sha256,
    scope: input.scope,
    createdAt,
    expiresAt: requireFuture(input.expires_at, createdAt),
  };
  return { key, apiKey: token };
}

/** @throws ProblemError `invalid_body` for a moment that is not in the future. */
export function requireFuture(expiresAt: string | undefined, now: Date): Date | null {
  if (expiresAt === undefined) return null;
  const moment = new Date(expiresAt);
  if (moment > now) return moment;
  throw new ProblemError('invalid_body', 'expires_at: must be in the future.');
}

export async function revokeKey(
  { store, now }: MachineDeps,
  machineId: string,
  keyId: string,
  by: Actor,
): Promise<void> {
  await store.atomically(async (stores) => {
    if (!(await stores.keys.remove(machineId, keyId))) throw notFound();
    await stores.changes.append({ what: 'key_revoked', machine_id: machineId, id: keyId });
    await recordChange(stores, {
      what: 'key_revoked',
      by,
      at: now(),
      machineId,
      apiIds: null,
      subjectId: keyId,
    });
  });
}

/** Removes a tenant with everything it holds: ciphertexts, salt, and what was recorded of it. The log keeps the hashes. */
export async function removeMachine(
  { store, now }: MachineDeps,
  machineId: string,
  by: Actor,
): Promise<void> {
  await store.atomically(async (stores) => {
    if (!(await stores.machines.remove(machineId))) throw notFound();
    await stores.changes.append({ what: 'machine_removed', machine_id: machineId, id: machineId });
    await stores.audit.forgetMachine(machineId);
    await recordChange(stores, {
      what: 'machine_removed',
      by,
      at: now(),
      machineId,
      apiIds: null,
      subjectId: machineId,
    });
  });
}
