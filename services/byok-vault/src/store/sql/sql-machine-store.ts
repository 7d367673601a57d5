import { ProblemError } from '@zeq/service-kit';
import { z } from 'zod';
import type { Queryable } from '../../db/database.ts';
import { isTaken } from '../../db/errors.ts';
import type { Machine, MachineStore } from '../machine-store.ts';
import { bigint, bytes, moment } from './columns.ts';
import { positionOf, toPage } from './paging.ts';

export function sqlMachineStore(db: Queryable): MachineStore {
  const one = async (sql: string, values: unknown[]) => (await db.query(sql, values)).map(toMachine)[0];
  return {
    async insert({ id, slug, displayName, kdfSalt, createdAt }) {
      await db
        .query(
          'INSERT INTO machines (id, slug, display_name, kdf_salt, created_at) VALUES ($1,$2,$3,$4,$5)',
          [id, slug, displayName, kdfSalt, createdAt],
        )
        .catch(explainInsert);
    },
    find: (id) => one('SELECT * FROM machines WHERE id = $1', [id]),
    findBySlug: (slug) => one('SELECT * FROM machines WHERE slug = $1', [slug]),
    async list(page) {
      const { createdAt, id } = positionOf(page);
      const rows = await db.query(
        'SELECT * FROM machines WHERE (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3',
        [createdAt, id, page.limit + 1],
      );
      return toPage(rows.map(toMachine), page.limit);
    },
    hold: (id) => one('SELECT * FROM machines WHERE id = $1 FOR SHARE', [id]),
    holdForNewSalt: (id) => one('SELECT * FROM machines WHERE id = $1 FOR UPDATE', [id]),
    async replaceSalt(id, kdfSalt) {
      await db.query('UPDATE machines SET kdf_salt = $2 WHERE id = $1', [id, kdfSalt]);
      await db.query('DELETE FROM key_writes WHERE machine_id = $1', [id]);
    },
    async remove(id) {
      return (await db.query('DELETE FROM machines WHERE id = $1 RETURNING id', [id])).length > 0;
    },
    async countWrites(kid, encryptions) {
      const values = [kid, [...encryptions.keys()], [...encryptions.values()]];
      const rows = (await db.query(COUNT_WRITES, values)).map((row) => CountRow.parse(row));
      return new Map(rows.map((row) => [row.machine_id, row.encryptions]));
    },
  };
}

/** In one order for everybody: two who count the same machines must not wait for each other. */
const COUNT_WRITES = `
  INSERT INTO key_writes (machine_id, kid, encryptions)
  SELECT machine_id, $1, encryptions FROM unnest($2::text[], $3::bigint[]) AS v (machine_id, encryptions)
  ORDER BY machine_id
  ON CONFLICT (machine_id, kid) DO UPDATE SET encryptions = key_writes.encryptions + excluded.encryptions
  RETURNING machine_id, encryptions`;

const CountRow = z.object({ machine_id: z.string(), encryptions: bigint });
const MachineRow = z.object({
  id: z.string(),
  slug: z.string(),
  display_name: z.string(),
  kdf_salt: bytes,
  created_at: moment,
});

function toMachine(row: unknown): Machine {
  const { id, slug, display_name, kdf_salt, created_at } = MachineRow.parse(row);
  return { id, slug, displayName: display_name, kdfSalt: kdf_salt, createdAt: created_at };
}

function explainInsert(err: unknown): never {
  if (isTaken(err, 'machines_slug'))
    throw new ProblemError('slug_taken', 'A machine of that slug exists already.', { cause: err });
  throw err;
}
