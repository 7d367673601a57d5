import type { AppToken, AuditChangeLeaf, HashedCall, MachineKey } from '@zeq/contracts';

/** A change in words: what was done, and what more is known of it. */
export interface ChangeWords {
  title: string;
  detail: string;
  isBad?: true;
}

type Details = AuditChangeLeaf['details'];

const TITLES: Record<AuditChangeLeaf['what'], string> = {
  machine_created: 'Machine made',
  machine_removed: 'Machine removed',
  key_minted: 'Machine key made',
  key_revoked: 'Machine key revoked',
  api_registered: 'Registered',
  api_changed: 'Settings changed',
  api_removed: 'Removed',
  token_minted: 'Token made',
  token_revoked: 'Token revoked',
  salt_rotated: 'Salt rotated',
  rotation_started: 'Master key: rotation started',
  rotation_cancelled: 'Master key: rotation cancelled',
  rotation_finished: 'Master key: rotation finished',
};
/** What a change did with the stored key of the provider. */
const FATES: Record<string, string> = {
  stored: 'Key stored',
  replaced: 'Key replaced',
  dropped: 'Key dropped',
};
const COLUMNS: Record<string, string> = {
  name: 'name',
  base_url: 'address',
  rate_limit_per_min: 'limit',
  extra_headers: 'extra headers',
  policy: 'policy',
  schema: 'schema',
};

export function changeWords(
  { what, subject_id, details }: AuditChangeLeaf,
  names: Names | undefined,
): ChangeWords {
  const title = (what === 'api_changed' && FATES[text(details.credential)]) || (TITLES[what] ?? what);
  return { title, detail: detailOf(what, details, names?.get(subject_id)) };
}

function detailOf(what: AuditChangeLeaf['what'], details: Details, name: string | undefined): string {
  switch (what) {
    case 'api_registered':
      return `${text(details.base_origin)}, ${details.credential === 'stored' ? 'with a key' : 'without a key'}`;
    case 'api_changed':
      return changedWords(details);
    case 'token_minted':
    case 'key_minted':
      return list([
        name,
        `${text(details.prefix)}…`,
        scopeWords(details.scope),
        endWords(details.expires_at),
      ]);
    case 'token_revoked':
    case 'key_revoked':
      return name ?? '';
    case 'salt_rotated':
      return list([`${text(details.rows_done)} keys encrypted anew`, failedWords(details.rows_failed)]);
    case 'rotation_finished':
      return failedWords(details.rows_failed) ?? '';
    default:
      return text(details.name ?? details.slug);
  }
}

function changedWords({ changed, base_origin }: Details): string {
  const columns = Array.isArray(changed) ? changed : [];
  const address = columns.includes('base_url') ? `now ${text(base_origin)}` : undefined;
  return list([columns.map((column) => COLUMNS[column] ?? column).join(', '), address]);
}

const scopeWords = (scope: Details[string] | undefined): string | undefined =>
  scope === undefined
    ? undefined
    : ({ owner: 'everything', forward: 'call and read' }[text(scope)] ?? text(scope));
const endWords = (at: Details[string] | undefined): string =>
  typeof at === 'string' ? `ends ${at.slice(0, 10)}` : 'no end';
const failedWords = (failed: Details[string] | undefined): string | undefined =>
  failed === 0 || failed === undefined ? undefined : `${text(failed)} failed`;
const text = (value: Details[string] | undefined): string =>
  value === null || value === undefined ? '' : String(value);
const list = (parts: readonly (string | undefined)[]): string =>
  [...new Set(parts.filter(Boolean))].join(' · ');

/** The names of keys and tokens by their ids, as they are now. */
export type Names = ReadonlyMap<string, string>;

export const namesOf = (rows: readonly Pick<MachineKey | AppToken, 'id' | 'name' | 'prefix'>[]): Names =>
  new Map(rows.map(({ id, name, prefix }) => [id, name || `${prefix}…`]));

const ACTORS: Record<string, string> = {
  platform: 'the platform',
  operator: 'the operator',
  mesh: 'the mesh',
};

/** Who did it: the name that the key has now, or that it is gone. */
export function actorOf({ by }: AuditChangeLeaf, names: Names | undefined): string {
  if (by.kind !== 'owner') return ACTORS[by.kind] ?? by.kind;
  if (by.id === null) return 'the owner';
  return names === undefined ? 'a machine key' : (names.get(by.id) ?? 'a revoked key');
}

/** Who called: the name that a key or token had then. */
export const callerWords = ({ caller_name, caller_prefix, caller_id }: HashedCall): string =>
  caller_name ||
  (caller_prefix === null
    ? `a revoked ${caller_id.startsWith('key_') ? 'key' : 'token'}`
    : `${caller_prefix}…`);
