import { KeyScope } from '@zeq/contracts';
import { z } from 'zod';
import type { Queryable } from '../../db/database.ts';
import type { IdentifiedKey, KeyStore } from '../key-store.ts';
import { moment } from './columns.ts';
import { gone } from './gone.ts';
import { positionOf, toPage } from './paging.ts';

export function sqlKeyStore(db: Queryable): KeyStore {
  const one = async (sql: string, value: string) => (await db.query(sql, [value])).map(toKey)[0];
  return {
    async insert(key) {
      const { id, machineId, name, prefix, sha256, scope, createdAt, expiresAt } = key;
      await db.query(INSERT, [id, machineId, name, prefix, sha256, scope, createdAt, expiresAt]).catch(gone);
    },
    async list(machineId, page) {
      const { createdAt, id } = positionOf(page);
      const rows = await db.query(LIST, [machineId, createdAt, id, page.limit + 1]);
      return toPage(rows.map(toKey), page.limit);
    },
    async remove(machineId, id) {
      const sql = 'DELETE FROM machine_keys WHERE machine_id = $1 AND id = $2 RETURNING id';
      return (await db.query(sql, [machineId, id])).length > 0;
    },
    findByHash: (sha256) => one(`${SELECT} WHERE k.key_sha256 = $1`, sha256),
    findById: (id) => one(`${SELECT} WHERE k.id = $1`, id),
  };
}

const INSERT = `
  INSERT INTO machine_keys (id, machine_id, name, prefix, key_sha256, scope, created_at, expires_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`;
const SELECT = 'SELECT k.*, m.slug FROM machine_keys k JOIN machines m ON m.id = k.machine_id';
const LIST = `${SELECT} WHERE k.machine_id = $1 AND (k.created_at, k.id) > ($2, $3)
  ORDER BY k.created_at, k.id LIMIT $4`;

const KeyRow = z.object({
  id: z.string(),
  machine_id: z.string(),
  slug: z.string(),
  name: z.string(),
  prefix: z.string(),
  key_sha256: z.string(),
  scope: KeyScope,
  created_at: moment,
  expires_at: moment.nullable(),
});

function toKey(row: unknown): IdentifiedKey {
  const { machine_id, key_sha256, created_at, expires_at, ...same } = KeyRow.parse(row);
  return { ...same, machineId: machine_id, sha256: key_sha256, createdAt: created_at, expiresAt: expires_at };
}
