import { z } from 'zod';
import type { ApiRow, StoredApi } from '../api-store.ts';
import { bytes, moment } from './columns.ts';

/** The columns of user_external_apis in the order of `toValues`. */
export const API_COLUMNS = [
  'id',
  'machine_id',
  'name',
  'provider',
  'base_url',
  'base_origin',
  'auth_shape',
  'auth_hint',
  'warnings',
  'rate_limit_per_min',
  'extra_headers',
  'policy',
  'schema',
  'created_at',
  'updated_at',
  'auth_header_enc',
  'auth_header_iv',
  'auth_header_kid',
] as const;

export const toValues = (row: ApiRow): unknown[] => [
  row.id,
  row.machineId,
  row.name,
  row.provider,
  row.baseUrl,
  row.baseOrigin,
  row.authShape,
  row.authHint,
  row.warnings,
  row.rateLimitPerMin,
  row.extraHeaders,
  row.policy,
  row.schema,
  row.createdAt,
  row.updatedAt,
  row.credential?.ciphertext ?? null,
  row.credential?.iv ?? null,
  row.credential?.kid ?? null,
];

/** Every read of an API takes its machine's slug and salt along. */
export const SELECT_API = `
  SELECT a.*, m.slug, m.kdf_salt FROM user_external_apis a JOIN machines m ON m.id = a.machine_id`;

const Row = z.object({
  id: z.string(),
  machine_id: z.string(),
  slug: z.string(),
  kdf_salt: bytes,
  name: z.string(),
  provider: z.string().nullable(),
  base_url: z.string(),
  base_origin: z.string(),
  auth_shape: z.string().nullable(),
  auth_hint: z.string().nullable(),
  warnings: z.string(),
  rate_limit_per_min: z.int(),
  extra_headers: z.string(),
  policy: z.string(),
  schema: z.string().nullable(),
  created_at: moment,
  updated_at: moment,
  auth_header_enc: bytes.nullable(),
  auth_header_iv: bytes.nullable(),
  auth_header_kid: z.string().nullable(),
});

export function toStoredApi(row: unknown): StoredApi {
  const { id, slug, name, provider, warnings, policy, schema, ...rest } = Row.parse(row);
  return {
    id,
    machineId: rest.machine_id,
    slug,
    tenantSalt: rest.kdf_salt,
    name,
    provider,
    baseUrl: rest.base_url,
    baseOrigin: rest.base_origin,
    authShape: rest.auth_shape,
    authHint: rest.auth_hint,
    warnings,
    rateLimitPerMin: rest.rate_limit_per_min,
    extraHeaders: rest.extra_headers,
    policy,
    schema,
    createdAt: rest.created_at,
    updatedAt: rest.updated_at,
    credential: toCredential(rest),
  };
}

/** The three columns are null together (a CHECK holds them to it). A row without an iv is never plaintext. */
function toCredential(
  row: Pick<z.infer<typeof Row>, 'auth_header_enc' | 'auth_header_iv' | 'auth_header_kid'>,
) {
  const { auth_header_enc: ciphertext, auth_header_iv: iv, auth_header_kid: kid } = row;
  return ciphertext === null || iv === null || kid === null ? null : { ciphertext, iv, kid };
}
