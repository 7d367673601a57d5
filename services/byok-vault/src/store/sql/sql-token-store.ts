import { z } from 'zod';
import type { Queryable } from '../../db/database.ts';
import type { IdentifiedToken, TokenStore } from '../token-store.ts';
import { json, moment } from './columns.ts';
import { gone } from './gone.ts';
import { positionOf, toPage } from './paging.ts';

export function sqlTokenStore(db: Queryable): TokenStore {
  return {
    async insert(token) {
      const { id, machineId, name, prefix, sha256, rateLimitPerMin, createdAt, expiresAt } = token;
      const lists = [toJson(token.allowedMethods), toJson(token.allowedPathPrefixes)];
      const values = [id, machineId, name, prefix, sha256, ...lists, rateLimitPerMin, createdAt, expiresAt];
      await db.query(INSERT, values).catch(gone);
      await db
        .query('INSERT INTO app_token_apis (token_id, api_id) SELECT $1, unnest($2::text[])', [
          id,
          token.apiIds,
        ])
        .catch(gone);
    },
    async list(machineId, apiId, page) {
      const { createdAt, id } = positionOf(page);
      const rows = await db.query(LIST, [machineId, createdAt, id, page.limit + 1, apiId]);
      return toPage(rows.map(toToken), page.limit);
    },
    async remove(machineId, apiId, id) {
      return (await db.query(REMOVE, [machineId, id, apiId])).length > 0;
    },
    async findByHash(sha256) {
      return (await db.query(`${SELECT} WHERE t.token_sha256 = $1`, [sha256])).map(toToken)[0];
    },
    async removeUseless(machineId) {
      return (await db.query(REMOVE_USELESS, [machineId])).map((row) => z.string().parse(row.id));
    },
  };
}

const toJson = (list: string[] | null): string | null => (list === null ? null : JSON.stringify(list));

const INSERT = `
  INSERT INTO app_tokens (id, machine_id, name, prefix, token_sha256, allowed_methods, allowed_path_prefixes,
                          rate_limit_per_min, created_at, expires_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`;
const SELECT = `
  SELECT t.*, m.slug,
         ARRAY(SELECT c.api_id FROM app_token_apis c WHERE c.token_id = t.id ORDER BY c.api_id) AS api_ids
  FROM app_tokens t JOIN machines m ON m.id = t.machine_id`;
const COVERS = 'EXISTS (SELECT 1 FROM app_token_apis c WHERE c.token_id = t.id AND c.api_id =';
const LIST = `${SELECT} WHERE t.machine_id = $1 AND (t.created_at, t.id) > ($2, $3) AND ${COVERS} $5)
  ORDER BY t.created_at, t.id LIMIT $4`;
const REMOVE = `DELETE FROM app_tokens t WHERE t.machine_id = $1 AND t.id = $2 AND ${COVERS} $3) RETURNING t.id`;
const REMOVE_USELESS = `
  DELETE FROM app_tokens t
  WHERE t.machine_id = $1 AND NOT EXISTS (SELECT 1 FROM app_token_apis c WHERE c.token_id = t.id)
  RETURNING t.id`;

const TokenRow = z.object({
  id: z.string(),
  machine_id: z.string(),
  slug: z.string(),
  name: z.string(),
  prefix: z.string(),
  token_sha256: z.string(),
  api_ids: z.array(z.string()),
  allowed_methods: json(z.array(z.string())).nullable(),
  allowed_path_prefixes: json(z.array(z.string())).nullable(),
  rate_limit_per_min: z.int().nullable(),
  created_at: moment,
  expires_at: moment.nullable(),
});

function toToken(row: unknown): IdentifiedToken {
  const { id, slug, name, prefix, ...rest } = TokenRow.parse(row);
  return {
    id,
    machineId: rest.machine_id,
    slug,
    name,
    prefix,
    sha256: rest.token_sha256,
    apiIds: rest.api_ids,
    allowedMethods: rest.allowed_methods,
    allowedPathPrefixes: rest.allowed_path_prefixes,
    rateLimitPerMin: rest.rate_limit_per_min,
    createdAt: rest.created_at,
    expiresAt: rest.expires_at,
  };
}
