import { type Lease, type LeaseRequest, leaseContext } from '@zeq/contracts';
import { sealLease } from '@zeq/crypto';
import { ProblemError } from '@zeq/service-kit';
import { isRef } from '../apis/refs.ts';
import { authStateOf, readDetails } from '../apis/registered-api.ts';
import type { CredentialBox } from '../credentials/credential-box.ts';
import type { Secret } from '../credentials/secret.ts';
import type { StoredApi } from '../store/api-store.ts';
import type { Store } from '../store/store.ts';

/**
 * Hands out what a forwarder needs to call one API. The credential is opened here for a moment and sealed to the one process that
 * asks; a credential that does not open makes a lease without one, never an error.
 *
 * @param recipient The forwarder's X25519 public key, from its service token.
 * @returns undefined when the machine has no such API.
 */
export async function leaseApi(
  store: Store,
  box: CredentialBox,
  { machine_id, api }: LeaseRequest,
  recipient: string,
): Promise<Lease | undefined> {
  const row = isRef(api) ? await store.apis.find(machine_id, api) : undefined;
  if (row === undefined) return undefined;
  const secret = box.open(row);
  try {
    return toLease(row, secret, recipient);
  } finally {
    secret?.wipe();
  }
}

/**
 * The lease on a row. A secret beside a row that holds none is one that was never stored: it counts as it is.
 *
 * @throws ProblemError `bad_request` when the recipient's key cannot be used.
 */
export function toLease(row: StoredApi, secret: Secret | undefined, recipient: string): Lease {
  const details = readDetails(row);
  const isUnsaved = row.credential === null && secret !== undefined;
  const lease: Lease = {
    api_id: row.id,
    name: row.name,
    machine_id: row.machineId,
    slug: row.slug,
    base_url: row.baseUrl,
    rate_limit_per_min: row.rateLimitPerMin,
    extra_headers: details.extraHeaders,
    policy: details.policy,
    auth_state: isUnsaved ? 'ok' : authStateOf(row, details, () => secret !== undefined),
    auth_shape: details.authShape,
    credential: null,
  };
  return secret === undefined ? lease : { ...lease, credential: seal(secret, recipient, lease) };
}

function seal(secret: Secret, recipient: string, lease: Lease): Lease['credential'] {
  try {
    return sealLease(secret.reveal(), recipient, Buffer.from(leaseContext(lease), 'utf8'));
  } catch (err) {
    if (!(err instanceof RangeError)) throw err;
    throw new ProblemError('bad_request', 'The lease key is not a usable X25519 public key.', { cause: err });
  }
}
