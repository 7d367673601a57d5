import type { AppCaller, Caller, OwnerCaller, ServiceName } from '@zeq/contracts';
import { ServiceTokenSigner } from '@zeq/service-kit';

export const INTERNAL_SECRET = 'a-secret-between-services-0123456789abcdef';

const signers = new Map<ServiceName, ServiceTokenSigner>();

/** A service token as another service would present it. */
export function serviceToken(caller: Caller, iss: ServiceName = 'gateway', leaseKey?: string): string {
  if (leaseKey !== undefined)
    return new ServiceTokenSigner(iss, INTERNAL_SECRET, { lease_key: leaseKey }).sign(
      'byok-vault',
      caller,
      '',
    );
  const signer = signers.get(iss) ?? new ServiceTokenSigner(iss, INTERNAL_SECRET);
  signers.set(iss, signer);
  return signer.sign('byok-vault', caller, JSON.stringify(caller));
}

export const PLATFORM: Caller = { kind: 'platform' };
export const OPERATOR: Caller = { kind: 'operator' };
export const ANONYMOUS: Caller = { kind: 'anonymous' };

export const ownerOf = (
  machine: { id: string; slug: string },
  scope: OwnerCaller['scope'] = 'owner',
): OwnerCaller => ({
  kind: 'owner',
  machine_id: machine.id,
  slug: machine.slug,
  key_id: `key_${'k'.repeat(22)}`,
  scope,
});

export const appOf = (machine: { id: string; slug: string }, apiIds: string[] = []): AppCaller => ({
  kind: 'app',
  machine_id: machine.id,
  slug: machine.slug,
  token_id: `tok_${'t'.repeat(22)}`,
  api_ids: apiIds,
  allowed_methods: null,
  allowed_path_prefixes: null,
  rate_limit_per_min: null,
});
