import type { IdentifyAnswer, IdentifyRequest } from '@zeq/contracts';
import type { IdentifiedKey } from '../store/key-store.ts';
import type { Store } from '../store/store.ts';
import type { IdentifiedToken } from '../store/token-store.ts';

/** Finds out whose token this is. An expired one is named as such, so that its owner learns why it is refused. */
export async function identify(
  store: Store,
  request: IdentifyRequest,
  now: Date,
): Promise<IdentifyAnswer | undefined> {
  if ('key_id' in request) return answerForKey(await store.keys.findById(request.key_id), now);
  const key = await store.keys.findByHash(request.token_sha256);
  if (key !== undefined) return answerForKey(key, now);
  return answerForToken(await store.tokens.findByHash(request.token_sha256), now);
}

function answerForKey(key: IdentifiedKey | undefined, now: Date): IdentifyAnswer | undefined {
  if (key === undefined) return undefined;
  const { machineId, slug, id, scope, expiresAt } = key;
  return {
    caller: { kind: 'owner', machine_id: machineId, slug, key_id: id, scope },
    ...expiry(expiresAt, now),
  };
}

function answerForToken(token: IdentifiedToken | undefined, now: Date): IdentifyAnswer | undefined {
  if (token === undefined) return undefined;
  return {
    caller: {
      kind: 'app',
      machine_id: token.machineId,
      slug: token.slug,
      token_id: token.id,
      api_ids: token.apiIds,
      allowed_methods: token.allowedMethods,
      allowed_path_prefixes: token.allowedPathPrefixes,
      rate_limit_per_min: token.rateLimitPerMin,
    },
    ...expiry(token.expiresAt, now),
  };
}

const expiry = (expiresAt: Date | null, now: Date) => ({
  expires_at: expiresAt?.toISOString() ?? null,
  expired: expiresAt !== null && expiresAt <= now,
});
