import type { PatchApi } from '@zeq/contracts';
import type { SealedField } from '@zeq/crypto';
import { type Actor, recordChange } from '../audit/record-change.ts';
import { type Credential, parseCredential } from '../credentials/credential.ts';
import type { Bindable, CredentialBox } from '../credentials/credential-box.ts';
import type { StoredApi } from '../store/api-store.ts';
import type { Stores } from '../store/store.ts';
import { notFound } from './not-found.ts';
import {
  type ApiDeps,
  defined,
  toAddress,
  toExtraHeaders,
  toSchemaText,
  withMachine,
} from './register-api.ts';
import { readDetails } from './registered-api.ts';

const DROPPED_WARNING =
  'The stored credential was dropped because base_url now points to another origin. Give it again to use this API.';

/**
 * Changes an API. The credential stays only if its place stays: another origin without a new credential drops it. Everything else
 * of the row is bound to it, so that each change encrypts it anew, under a fresh IV.
 *
 * @throws ProblemError as `registerApi` does, and `not_found`
 */
export async function patchApi(
  deps: ApiDeps,
  machineId: string,
  idOrName: string,
  patch: PatchApi,
  by: Actor,
): Promise<StoredApi> {
  return deps.store.atomically(async (stores) => {
    const machine = await stores.machines.hold(machineId);
    const old = machine && (await stores.apis.hold(machineId, idOrName));
    if (old === undefined) throw notFound();
    const credential = parseCredential(patch, readDetails(old).provider);
    try {
      const row = changed(deps, old, patch, credential);
      const sealed = await sealAgain(deps.box, stores, old, row, credential);
      await stores.apis.update({ ...row, credential: sealed });
      await stores.changes.append({ what: 'api_changed', machine_id: machineId, id: old.id });
      await recordChange(stores, {
        what: 'api_changed',
        by,
        at: row.updatedAt,
        machineId,
        apiIds: [old.id],
        subjectId: old.id,
        details: {
          changed: changedColumns(old, row),
          base_origin: row.baseOrigin,
          credential: fateOf(old, credential, sealed),
        },
      });
      return withMachine({ ...row, credential: sealed }, machine!);
    } finally {
      credential?.value.wipe();
    }
  });
}

const COLUMNS = {
  name: 'name',
  base_url: 'baseUrl',
  rate_limit_per_min: 'rateLimitPerMin',
  extra_headers: 'extraHeaders',
  policy: 'policy',
  schema: 'schema',
} as const satisfies Record<string, keyof Bindable>;

const changedColumns = (old: Bindable, row: Bindable): string[] =>
  Object.entries(COLUMNS)
    .filter(([, column]) => old[column] !== row[column])
    .map(([name]) => name);

/** What became of the credential, in a word. */
function fateOf(old: StoredApi, given: Credential | undefined, sealed: SealedField | null): string {
  if (given !== undefined) return old.credential === null ? 'stored' : 'replaced';
  if (old.credential === null) return 'none';
  return sealed === null ? 'dropped' : 'kept';
}

function changed(
  { rules, now }: ApiDeps,
  old: StoredApi,
  patch: PatchApi,
  credential: Credential | undefined,
): Bindable {
  const details = readDetails(old);
  const address = patch.base_url === undefined ? pickAddress(old) : toAddress(patch.base_url, rules);
  const auth = credential ? columnsOf(credential) : keptAuth(old, address.baseOrigin);
  const shape = credential?.shape ?? (auth.authShape === null ? null : details.authShape);
  return {
    id: old.id,
    machineId: old.machineId,
    name: patch.name ?? old.name,
    provider: old.provider,
    ...address,
    ...auth,
    rateLimitPerMin: patch.rate_limit_per_min ?? old.rateLimitPerMin,
    extraHeaders: toExtraHeaders(patch.extra_headers ?? details.extraHeaders, shape),
    policy: JSON.stringify({ ...details.policy, ...defined(patch.policy ?? {}) }),
    schema: patch.schema === undefined ? old.schema : toSchemaText(patch.schema),
    createdAt: old.createdAt,
    updatedAt: now(),
  };
}

type AuthColumns = Pick<Bindable, 'authShape' | 'authHint' | 'warnings'>;

const pickAddress = ({ baseUrl, baseOrigin }: StoredApi) => ({ baseUrl, baseOrigin });

const columnsOf = ({ shape, hint, warnings }: Credential): AuthColumns => ({
  authShape: JSON.stringify(shape),
  authHint: hint,
  warnings: JSON.stringify(warnings),
});

function keptAuth(old: StoredApi, newOrigin: string): AuthColumns {
  const { authShape, authHint, warnings } = old;
  if (newOrigin === old.baseOrigin) return { authShape, authHint, warnings };
  const told = old.credential === null ? [] : [DROPPED_WARNING];
  return { authShape: null, authHint: null, warnings: JSON.stringify(told) };
}

/** The credential for the changed row: the new one, the old one bound anew, or none where the place has changed. */
async function sealAgain(
  box: CredentialBox,
  stores: Stores,
  old: StoredApi,
  row: Bindable,
  credential: Credential | undefined,
): Promise<SealedField | null> {
  if (credential === undefined && row.baseOrigin !== old.baseOrigin) return null;
  const secret = credential?.value ?? box.open(old);
  if (secret === undefined) return old.credential; // none, or one that does not open and will not
  try {
    await box.count(stores, new Map([[old.machineId, 1]]));
    return box.encrypt(row, old.tenantSalt, secret);
  } finally {
    secret.wipe();
  }
}
