import type { DraftRequest, Lease } from '@zeq/contracts';
import { type ApiDeps, newRow, withMachine } from '../apis/register-api.ts';
import { parseCredential } from '../credentials/credential.ts';
import { toLease } from './lease-api.ts';

/** A test is made by hand: more calls than this in a minute are something else. */
const TESTS_PER_MINUTE = 30;

/**
 * Checks a registration like one that is to be kept, and leases it once without keeping anything: no row, no ciphertext, no
 * change. The credential goes back, sealed, to the forwarder that sent it.
 *
 * @param recipient The forwarder's X25519 public key, from its service token.
 * @returns undefined when there is no such machine.
 * @throws ProblemError `base_url_refused`, `auth_header_refused`, `invalid_header`, `invalid_body`
 */
export async function leaseDraft(
  deps: ApiDeps,
  { machine_id, api }: DraftRequest,
  recipient: string,
): Promise<Lease | undefined> {
  const machine = await deps.store.machines.find(machine_id);
  if (machine === undefined) return undefined;
  const credential = parseCredential(api, api.provider ?? null);
  try {
    const input = { ...api, name: api.name ?? 'draft', rate_limit_per_min: TESTS_PER_MINUTE };
    const row = { ...newRow(deps, machine_id, input, credential), credential: null };
    return toLease(withMachine(row, machine), credential?.value, recipient);
  } finally {
    credential?.value.wipe();
  }
}
