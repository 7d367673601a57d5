import {
  type ApiView,
  type AppToken as AppTokenView,
  type MachineKey as MachineKeyView,
  type Machine as MachineView,
  PROVIDERS,
} from '@zeq/contracts';
import type { CredentialBox } from '../credentials/credential-box.ts';
import type { StoredApi } from '../store/api-store.ts';
import type { MachineKey } from '../store/key-store.ts';
import type { Machine } from '../store/machine-store.ts';
import type { AppToken } from '../store/token-store.ts';
import { authStateOf, readDetails } from './registered-api.ts';

/** What anybody ever sees of a registered API: fields picked one by one, none of which could carry the credential. */
export function viewApi(row: StoredApi, box: CredentialBox): ApiView {
  const details = readDetails(row);
  return {
    id: row.id,
    name: row.name,
    provider: details.provider,
    base_url: row.baseUrl,
    has_auth_header: row.credential !== null,
    auth_hint: row.authHint,
    auth_shape: details.authShape,
    auth_state: authStateOf(row, details, () => opens(row, box)),
    warnings: details.warnings,
    rate_limit_per_min: row.rateLimitPerMin,
    extra_headers: details.extraHeaders,
    policy: details.policy,
    schema: details.schema,
    test_path: details.provider === null ? null : PROVIDERS[details.provider].testPath,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}

/** Whether the credential opens; its plaintext is wiped at once. */
function opens(row: StoredApi, box: CredentialBox): boolean {
  const secret = box.tryOpen(row);
  secret?.wipe();
  return secret !== undefined;
}

export const viewMachine = (machine: Machine): MachineView => ({
  id: machine.id,
  slug: machine.slug,
  display_name: machine.displayName,
  created_at: machine.createdAt.toISOString(),
});

export const viewKey = (key: MachineKey): MachineKeyView => ({
  id: key.id,
  name: key.name,
  prefix: key.prefix,
  scope: key.scope,
  created_at: key.createdAt.toISOString(),
  expires_at: key.expiresAt?.toISOString() ?? null,
});

export const viewToken = (token: AppToken): AppTokenView => ({
  id: token.id,
  name: token.name,
  prefix: token.prefix,
  api_ids: token.apiIds,
  allowed_methods: token.allowedMethods,
  allowed_path_prefixes: token.allowedPathPrefixes,
  rate_limit_per_min: token.rateLimitPerMin,
  created_at: token.createdAt.toISOString(),
  expires_at: token.expiresAt?.toISOString() ?? null,
});
