import { ProblemError } from '@zeq/service-kit';
import type { Queryable } from '../../db/database.ts';
import { isTaken } from '../../db/errors.ts';
import type { ApiStore } from '../api-store.ts';
import { API_COLUMNS, SELECT_API, toStoredApi, toValues } from './api-columns.ts';
import { gone } from './gone.ts';
import { positionOf, toPage } from './paging.ts';

export function sqlApiStore(db: Queryable): ApiStore {
  const one = async (sql: string, values: unknown[]) => (await db.query(sql, values)).map(toStoredApi)[0];
  return {
    async insert(row) {
      await db.query(INSERT, toValues(row)).catch(explain);
    },
    find: (machineId, idOrName) => one(FIND, [machineId, idOrName]),
    hold: (machineId, idOrName) => one(`${FIND} FOR UPDATE OF a`, [machineId, idOrName]),
    async list(machineId, page) {
      const { createdAt, id } = positionOf(page);
      const rows = await db.query(LIST, [machineId, createdAt, id, page.limit + 1]);
      return toPage(rows.map(toStoredApi), page.limit);
    },
    async update(row) {
      await db.query(UPDATE, toValues(row)).catch(explain);
    },
    async remove(machineId, id) {
      const sql = 'DELETE FROM user_external_apis WHERE machine_id = $1 AND id = $2 RETURNING id';
      return (await db.query(sql, [machineId, id])).length > 0;
    },
  };
}

const placeholders = API_COLUMNS.map((_, i) => `$${i + 1}`).join(', ');
const INSERT = `INSERT INTO user_external_apis (${API_COLUMNS.join(', ')}) VALUES (${placeholders})`;
const UPDATE = `UPDATE user_external_apis SET (${API_COLUMNS.join(', ')}) = (${placeholders})
  WHERE id = $1 AND machine_id = $2`;
/** An id can never be a name: names that look like ids are refused. */
const FIND = `${SELECT_API} WHERE a.machine_id = $1 AND (a.id = $2 OR a.name = $2)`;
const LIST = `${SELECT_API} WHERE a.machine_id = $1 AND (a.created_at, a.id) > ($2, $3)
  ORDER BY a.created_at, a.id LIMIT $4`;

function explain(err: unknown): never {
  if (isTaken(err, 'user_external_apis_name'))
    throw new ProblemError('name_taken', 'You already have an API of that name.', { cause: err });
  return gone(err);
}
