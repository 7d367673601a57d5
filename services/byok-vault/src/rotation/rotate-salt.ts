import { randomBytes } from 'node:crypto';
import type { SaltRotation } from '@zeq/contracts';
import { notFound } from '../apis/not-found.ts';
import { type Actor, recordChange } from '../audit/record-change.ts';
import type { CredentialBox } from '../credentials/credential-box.ts';
import type { Store } from '../store/store.ts';
import { reencrypt } from './reencrypt.ts';

const SALT_BYTES = 32;

/**
 * Gives one tenant a new salt, and so new keys, and encrypts its credentials under them: all in one transaction, because a row does
 * not say which salt it is under. Writes of this tenant wait for its end (about 0.1 ms a row); reads and leases do not.
 *
 * @throws ProblemError `not_found`
 */
export async function rotateSalt(
  { store, box, now }: { store: Store; box: CredentialBox; now: () => Date },
  machineId: string,
  by: Actor,
): Promise<SaltRotation> {
  const salt = randomBytes(SALT_BYTES);
  return store.atomically(async (stores) => {
    if ((await stores.machines.holdForNewSalt(machineId)) === undefined) throw notFound();
    const rows = await stores.rotations.takeMachine(machineId);
    await stores.machines.replaceSalt(machineId, salt);
    const { done, failed } = await reencrypt(stores, box, rows, () => salt);
    await recordChange(stores, {
      what: 'salt_rotated',
      by,
      at: now(),
      machineId,
      apiIds: null,
      subjectId: machineId,
      details: { rows_done: done, rows_failed: failed },
    });
    return { rows_done: done, rows_failed: failed };
  });
}
