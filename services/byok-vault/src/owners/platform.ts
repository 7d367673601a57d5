import { PLATFORM_KEYS, PLATFORM_SLUG, type ProviderId, RegisterApi } from '@zeq/contracts';
import { equalDigests, sha256 } from '@zeq/crypto';
import { type Logger, ProblemError } from '@zeq/service-kit';
import { patchApi } from '../apis/patch-api.ts';
import { type ApiDeps, registerApi } from '../apis/register-api.ts';
import { MESH, recordChange } from '../audit/record-change.ts';
import { parseCredential } from '../credentials/credential.ts';
import type { StoredApi } from '../store/api-store.ts';
import type { Machine } from '../store/machine-store.ts';
import { machineCreated, newMachine } from './machines.ts';

/** Provider keys from the environment, by variable. */
export type PlatformKeys = Partial<Record<keyof typeof PLATFORM_KEYS, string | undefined>>;

/**
 * The platform's own machine, with an API for each provider key in the environment. A key that has changed replaces the stored one;
 * a variable that is gone leaves its API as it is. Several vaults may do this at once.
 */
export async function preparePlatform(deps: ApiDeps, keys: PlatformKeys, log: Logger): Promise<void> {
  const machine = await ensureMachine(deps);
  for (const [variable, provider] of Object.entries(PLATFORM_KEYS)) {
    const apiKey = keys[variable as keyof PlatformKeys];
    if (apiKey !== undefined) await ensureApi(deps, machine, provider, apiKey, log);
  }
}

async function ensureMachine({ store, now }: ApiDeps): Promise<Machine> {
  const found = await store.machines.findBySlug(PLATFORM_SLUG);
  if (found !== undefined) return found;
  const machine = newMachine(PLATFORM_SLUG, 'Platform', now());
  const insert = store.atomically(async (stores) => {
    await stores.machines.insert(machine);
    await recordChange(stores, machineCreated(machine, MESH));
  });
  await insert.catch(ignoring('slug_taken'));
  return (await store.machines.findBySlug(PLATFORM_SLUG)) ?? machine;
}

async function ensureApi(
  deps: ApiDeps,
  machine: Machine,
  provider: ProviderId,
  apiKey: string,
  log: Logger,
): Promise<void> {
  const input = RegisterApi.parse({ name: provider, provider, api_key: apiKey });
  const stored = await deps.store.apis.find(machine.id, provider);
  if (stored === undefined) {
    await registerApi(deps, machine.id, input, MESH).catch(ignoring('name_taken'));
    return log.info({ provider }, 'the platform registered a provider');
  }
  if (holds(deps, stored, provider, apiKey)) return;
  await patchApi(deps, machine.id, stored.id, { api_key: apiKey }, MESH);
  log.info({ provider }, "the platform's provider key was replaced");
}

/** Whether the stored credential is this very key; compared as digests. */
function holds({ box }: ApiDeps, stored: StoredApi, provider: ProviderId, apiKey: string): boolean {
  const wanted = parseCredential({ api_key: apiKey }, provider);
  const secret = box.tryOpen(stored);
  try {
    if (secret === undefined || wanted === undefined) return false;
    return equalDigests(sha256(secret.reveal()), sha256(wanted.value.reveal()));
  } finally {
    secret?.wipe();
    wanted?.value.wipe();
  }
}

/** For a write that another vault may just have done. */
const ignoring = (code: 'slug_taken' | 'name_taken') => (err: unknown) => {
  if (!(err instanceof ProblemError) || err.code !== code) throw err;
};
