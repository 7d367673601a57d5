import { randomBytes } from 'node:crypto';
import type { CreateMachine, MintKey } from '@zeq/contracts';
import { mintToken, newId } from '@zeq/crypto';
import { ProblemError } from '@zeq/service-kit';
import { notFound } from '../apis/not-found.ts';
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
): Promise<NewKey & { machine: Machine }> {
  const machine = newMachine(input.slug, input.display_name ?? input.slug, now());
  const { key, apiKey } = newKey(machine.id, { scope: 'owner', name: 'first key' }, now());
  await store.atomically(async ({ machines, keys }) => {
    await machines.insert(machine);
    await keys.insert(key);
  });
  return { machine, key, apiKey };
}

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
): Promise<NewKey> {
  const minted = newKey(machineId, input, now());
  await store.keys.insert(minted.key);
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

export async function revokeKey({ store }: MachineDeps, machineId: string, keyId: string): Promise<void> {
  await store.atomically(async ({ keys, changes }) => {
    if (!(await keys.remove(machineId, keyId))) throw notFound();
    await changes.append({ what: 'key_revoked', machine_id: machineId, id: keyId });
  });
}

/** Removes a tenant with everything it holds; its ciphertexts and its salt are gone with it. */
export async function removeMachine({ store }: MachineDeps, machineId: string): Promise<void> {
  await store.atomically(async ({ machines, changes }) => {
    if (!(await machines.remove(machineId))) throw notFound();
    await changes.append({ what: 'machine_removed', machine_id: machineId, id: machineId });
  });
}
