import { canonicalJson, type FieldPlace, sha256 } from '@zeq/crypto';
import type { ApiRow } from '../store/api-store.ts';

/**
 * The place of an API's credential. Every other column of the row goes into it, so whoever edits one of them in the database (where
 * the credential goes, what limits hold, how it is shown) makes the credential unreadable.
 */
export const placeOf = (row: ApiRow, tenantSalt: Uint8Array): FieldPlace => ({
  table: 'user_external_apis',
  column: 'auth_header_enc',
  tenantId: row.machineId,
  tenantSalt,
  rowId: row.id,
  origin: row.baseOrigin,
  rowDigest: sha256(canonicalJson(boundColumns(row))),
});

/** All columns but the three of the credential itself, under their names in the table. A test compares them with the schema. */
export const boundColumns = (row: ApiRow) => ({
  id: row.id,
  machine_id: row.machineId,
  name: row.name,
  provider: row.provider,
  base_url: row.baseUrl,
  base_origin: row.baseOrigin,
  auth_shape: row.authShape,
  auth_hint: row.authHint,
  warnings: row.warnings,
  rate_limit_per_min: row.rateLimitPerMin,
  extra_headers: row.extraHeaders,
  policy: row.policy,
  schema: row.schema,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
});
