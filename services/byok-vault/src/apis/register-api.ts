import {
  type AuthShape,
  DEFAULT_POLICY,
  PROVIDERS,
  type ProviderPreset,
  type RegisterApi,
} from '@zeq/contracts';
import { newId } from '@zeq/crypto';
import { type EgressRules, parseBaseUrl } from '@zeq/egress';
import { ProblemError } from '@zeq/service-kit';
import { type Actor, recordChange } from '../audit/record-change.ts';
import { type Credential, parseCredential } from '../credentials/credential.ts';
import type { Bindable, CredentialBox } from '../credentials/credential-box.ts';
import { refuseExtraHeader } from '../credentials/credential-names.ts';
import type { StoredApi } from '../store/api-store.ts';
import type { Machine } from '../store/machine-store.ts';
import type { Store } from '../store/store.ts';
import { notFound } from './not-found.ts';

export interface ApiDeps {
  store: Store;
  box: CredentialBox;
  rules: EgressRules;
  now: () => Date;
}

/** A description for people and tools is kept with each row and read with each list. */
const MAX_SCHEMA_CHARS = 262_144;

/**
 * Registers an API and encrypts its credential.
 *
 * @throws ProblemError `name_taken`, `base_url_refused`, `auth_header_refused`, `invalid_header`, `invalid_body`, `key_exhausted`
 */
export async function registerApi(
  deps: ApiDeps,
  machineId: string,
  input: RegisterApi,
  by: Actor,
): Promise<StoredApi> {
  const credential = parseCredential(input, input.provider ?? null);
  try {
    const row = newRow(deps, machineId, input, credential);
    return await deps.store.atomically(async (stores) => {
      const machine = await stores.machines.hold(machineId);
      if (machine === undefined) throw notFound();
      const sealed = credential && deps.box.encrypt(row, machine.kdfSalt, credential.value);
      if (sealed) await deps.box.count(stores, new Map([[machineId, 1]]));
      await stores.apis.insert({ ...row, credential: sealed ?? null });
      await recordChange(stores, {
        what: 'api_registered',
        by,
        at: row.createdAt,
        machineId,
        apiIds: [row.id],
        subjectId: row.id,
        details: { name: row.name, base_origin: row.baseOrigin, credential: sealed ? 'stored' : 'none' },
      });
      return withMachine({ ...row, credential: sealed ?? null }, machine);
    });
  } finally {
    credential?.value.wipe();
  }
}

export const withMachine = (row: Bindable & Pick<StoredApi, 'credential'>, machine: Machine): StoredApi => ({
  ...row,
  slug: machine.slug,
  tenantSalt: machine.kdfSalt,
});

/** The row that a registration makes, checked, without its credential. */
export function newRow(
  { rules, now }: ApiDeps,
  machineId: string,
  input: RegisterApi,
  credential: Credential | undefined,
): Bindable {
  const preset: ProviderPreset | undefined = input.provider && PROVIDERS[input.provider];
  const createdAt = now();
  return {
    id: newId('api'),
    machineId,
    name: input.name,
    provider: input.provider ?? null,
    ...toAddress(input.base_url ?? preset?.baseUrl ?? undefined, rules),
    authShape: credential ? JSON.stringify(credential.shape) : null,
    authHint: credential?.hint ?? null,
    warnings: JSON.stringify(credential?.warnings ?? []),
    rateLimitPerMin: input.rate_limit_per_min,
    extraHeaders: toExtraHeaders(withDefaults(input.extra_headers, preset), credential?.shape ?? null),
    policy: JSON.stringify({ ...DEFAULT_POLICY, ...defined(input.policy) }),
    schema: toSchemaText(input.schema),
    createdAt,
    updatedAt: createdAt,
  };
}

/** The address in its one spelling, and the origin that the credential is bound to. */
export function toAddress(
  text: string | undefined,
  rules: EgressRules,
): Pick<Bindable, 'baseUrl' | 'baseOrigin'> {
  if (text === undefined)
    throw new ProblemError('invalid_body', 'base_url: is required, because no provider preset has one.');
  const parsed = parseBaseUrl(text, rules);
  if (!parsed.ok)
    throw new ProblemError(
      'base_url_refused',
      `The egress policy refuses this base_url (rule: ${parsed.rule}).`,
    );
  return { baseUrl: parsed.url.origin + parsed.url.basePath, baseOrigin: parsed.url.origin };
}

/** The owner's own header goes before a preset's of the same name. */
function withDefaults(
  headers: Record<string, string>,
  preset: ProviderPreset | undefined,
): Record<string, string> {
  const own = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const defaults = Object.entries(preset?.extraHeaders ?? {}).filter(
    ([name]) => !own.has(name.toLowerCase()),
  );
  return { ...Object.fromEntries(defaults), ...headers };
}

/** @throws ProblemError `invalid_header` for a name that frames, belongs to the mesh, or should have been the credential. */
export function toExtraHeaders(headers: Record<string, string>, shape: AuthShape | null): string {
  const names = Object.keys(headers);
  if (new Set(names.map((name) => name.toLowerCase())).size < names.length)
    throw new ProblemError('invalid_header', 'extra_headers has one name twice.');
  for (const name of names) {
    const refusal = refuseExtraHeader(name, shape?.type === 'header' ? shape.name : undefined);
    if (refusal !== undefined) throw new ProblemError('invalid_header', refusal);
  }
  return JSON.stringify(headers);
}

export function toSchemaText(schema: RegisterApi['schema']): string | null {
  if (schema === undefined || schema === null) return null;
  const text = JSON.stringify(schema);
  if (text.length > MAX_SCHEMA_CHARS)
    throw new ProblemError('payload_too_large', `schema: at most ${MAX_SCHEMA_CHARS} characters of JSON.`);
  return text;
}

/** zod leaves keys that were sent as undefined; a spread of those would erase a default. */
export const defined = <T extends object>(partial: T): Partial<T> =>
  Object.fromEntries(Object.entries(partial).filter(([, value]) => value !== undefined)) as Partial<T>;
