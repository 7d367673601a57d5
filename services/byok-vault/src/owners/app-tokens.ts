import type { MintToken } from '@zeq/contracts';
import { mintToken, newId } from '@zeq/crypto';
import { ProblemError } from '@zeq/service-kit';
import { notFound } from '../apis/not-found.ts';
import { isRef } from '../apis/refs.ts';
import { type Actor, recordChange } from '../audit/record-change.ts';
import type { StoredApi } from '../store/api-store.ts';
import type { Store, Stores } from '../store/store.ts';
import type { AppToken } from '../store/token-store.ts';
import { requireFuture } from './machines.ts';

export interface TokenDeps {
  store: Store;
  now: () => Date;
}

/**
 * Mints a token for an app. `token` is in this answer and nowhere else.
 *
 * @param apiRef The API of the path; it is always covered.
 * @throws ProblemError `not_found` for an API that is not the machine's; `invalid_body` for a wrong expiry.
 */
export async function mintAppToken(
  { store, now }: TokenDeps,
  machineId: string,
  apiRef: string,
  input: MintToken,
  by: Actor,
): Promise<{ token: string; appToken: AppToken }> {
  const { token, sha256, prefix } = mintToken('zat_');
  const createdAt = now();
  const expiresAt = expiryOf(input, createdAt);
  return store.atomically(async (stores) => {
    const apis = await findAll(stores, machineId, [apiRef, ...(input.apis ?? [])]);
    const appToken: AppToken = {
      id: newId('tok'),
      machineId,
      name: input.name ?? `app of ${apis[0]!.name}`,
      prefix,
      sha256,
      apiIds: [...new Set(apis.map((api) => api.id))].sort(),
      allowedMethods: input.allowed_methods ?? null,
      allowedPathPrefixes: input.allowed_path_prefixes ?? null,
      rateLimitPerMin: input.rate_limit_per_min ?? null,
      createdAt,
      expiresAt,
    };
    await stores.tokens.insert(appToken);
    await recordChange(stores, {
      what: 'token_minted',
      by,
      at: createdAt,
      machineId,
      apiIds: appToken.apiIds,
      subjectId: appToken.id,
      details: { prefix, expires_at: expiresAt?.toISOString() ?? null },
    });
    return { token, appToken };
  });
}

export async function revokeAppToken(
  { store, now }: TokenDeps,
  machineId: string,
  apiRef: string,
  tokenId: string,
  by: Actor,
): Promise<void> {
  await store.atomically(async (stores) => {
    const api = await stores.apis.find(machineId, apiRef);
    if (api === undefined || !(await stores.tokens.remove(machineId, api.id, tokenId))) throw notFound();
    await stores.changes.append({ what: 'token_revoked', machine_id: machineId, id: tokenId });
    await recordChange(stores, tokenRevoked(machineId, tokenId, by, now()));
  });
}

/** It may have covered several APIs, so that it stands in the record of all. */
const tokenRevoked = (machineId: string, tokenId: string, by: Actor, at: Date) =>
  ({ what: 'token_revoked', by, at, machineId, apiIds: null, subjectId: tokenId }) as const;

/** Removes an API with its ciphertext, and the tokens that covered nothing else. */
export async function removeApi(
  { store, now }: TokenDeps,
  machineId: string,
  apiRef: string,
  by: Actor,
): Promise<void> {
  await store.atomically(async (stores) => {
    const { apis, tokens, changes } = stores;
    const api = await apis.hold(machineId, apiRef);
    if (api === undefined) throw notFound();
    await apis.remove(machineId, api.id);
    const useless = await tokens.removeUseless(machineId);
    await changes.append({ what: 'api_removed', machine_id: machineId, id: api.id });
    for (const id of useless) await changes.append({ what: 'token_revoked', machine_id: machineId, id });
    await recordChange(stores, {
      what: 'api_removed',
      by,
      at: now(),
      machineId,
      apiIds: [api.id],
      subjectId: api.id,
      details: { name: api.name },
    });
    for (const id of useless) await recordChange(stores, tokenRevoked(machineId, id, by, now()));
  });
}

async function findAll({ apis }: Stores, machineId: string, refs: string[]): Promise<StoredApi[]> {
  const found: StoredApi[] = [];
  for (const ref of refs) {
    const api = isRef(ref) ? await apis.find(machineId, ref) : undefined;
    if (api === undefined) throw notFound();
    found.push(api);
  }
  return found;
}

function expiryOf(input: MintToken, now: Date): Date | null {
  if (input.expires_in_seconds === undefined) return requireFuture(input.expires_at, now);
  if (input.expires_at !== undefined)
    throw new ProblemError('invalid_body', 'Give expires_at or expires_in_seconds, not both.');
  return new Date(now.getTime() + input.expires_in_seconds * 1000);
}
