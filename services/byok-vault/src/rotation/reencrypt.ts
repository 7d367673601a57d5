import type { CredentialBox } from '../credentials/credential-box.ts';
import type { StoredApi } from '../store/api-store.ts';
import type { Reencrypted } from '../store/rotation-store.ts';
import type { Stores } from '../store/store.ts';

/**
 * Encrypts credentials anew under the current master key, in the running transaction. Nothing else of their rows changes. A
 * credential that does not open is flagged and left as it is.
 *
 * @param newSaltOf The salt to write under, where it is not the one the row was read with.
 */
export async function reencrypt(
  stores: Stores,
  box: CredentialBox,
  rows: readonly StoredApi[],
  newSaltOf: (row: StoredApi) => Uint8Array = (row) => row.tenantSalt,
): Promise<{ done: number; failed: number }> {
  const moved: Reencrypted[] = [];
  const perMachine = new Map<string, number>();
  for (const row of rows) {
    const fresh = reencryptRow(box, row, newSaltOf(row));
    if (fresh === undefined) {
      await stores.rotations.noteFailure(row.id, row.credential?.kid ?? '');
      continue;
    }
    moved.push(fresh);
    perMachine.set(row.machineId, (perMachine.get(row.machineId) ?? 0) + 1);
  }
  if (moved.length > 0) {
    await stores.rotations.replace(moved);
    await box.count(stores, perMachine);
  }
  return { done: moved.length, failed: rows.length - moved.length };
}

function reencryptRow(box: CredentialBox, row: StoredApi, salt: Uint8Array): Reencrypted | undefined {
  const secret = box.tryOpen(row);
  if (secret === undefined) return undefined;
  try {
    return { rowId: row.id, credential: box.encrypt(row, salt, secret) };
  } finally {
    secret.wipe();
  }
}
