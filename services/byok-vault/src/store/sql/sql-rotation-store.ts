import { ProblemError } from '@zeq/service-kit';
import { z } from 'zod';
import type { Queryable } from '../../db/database.ts';
import { isTaken } from '../../db/errors.ts';
import type { Rotation, RotationStore } from '../rotation-store.ts';
import { SELECT_API, toStoredApi } from './api-columns.ts';
import { bigint, moment } from './columns.ts';

/** Every encrypted column, as table.column. The schema test finds a new one that is not here and not moved below. */
export const ROTATED_COLUMNS = ['user_external_apis.auth_header_enc'] as const;
const TABLE = 'user_external_apis';

export function sqlRotationStore(db: Queryable): RotationStore {
  return {
    async countByKid() {
      return (await db.query(COUNT_BY_KID)).map((row) => KidRow.parse(row));
    },
    async countFailed(kid) {
      return bigint.parse((await db.query(COUNT_FAILED, [TABLE, kid]))[0]?.rows);
    },
    async latest() {
      return (await db.query('SELECT * FROM rotations ORDER BY id DESC LIMIT 1')).map(toRotation)[0];
    },
    async start(toKid, rowsTotal) {
      await db.query('DELETE FROM rotation_failures');
      const rows = await db.query(START, [toKid, rowsTotal]).catch(explainStart);
      return toRotation(rows[0]);
    },
    async finish(state, finishedAt) {
      return (await db.query(FINISH, [state, finishedAt])).length > 0;
    },
    async take(fromKids, limit) {
      return (await db.query(TAKE, [fromKids, TABLE, limit])).map(toStoredApi);
    },
    async takeMachine(machineId) {
      const sql = `${SELECT_API} WHERE a.machine_id = $1 AND a.auth_header_kid IS NOT NULL FOR UPDATE OF a`;
      return (await db.query(sql, [machineId])).map(toStoredApi);
    },
    async replace(rows) {
      const ids = rows.map((row) => row.rowId);
      const ciphertexts = rows.map((row) => row.credential.ciphertext);
      const ivs = rows.map((row) => row.credential.iv);
      const kids = rows.map((row) => row.credential.kid);
      await db.query(REPLACE, [ids, ciphertexts, ivs, kids]);
    },
    async noteFailure(rowId, kid) {
      await db.query(NOTE_FAILURE, [TABLE, rowId, kid]);
    },
    async addDone(id, rows) {
      return (await db.query(ADD_DONE, [id, rows])).length > 0;
    },
  };
}

const COUNT_BY_KID = `
  SELECT auth_header_kid AS kid, count(*) AS rows FROM user_external_apis
  WHERE auth_header_kid IS NOT NULL GROUP BY auth_header_kid ORDER BY auth_header_kid`;
const COUNT_FAILED = `
  SELECT count(*) AS rows FROM rotation_failures f JOIN user_external_apis a ON a.id = f.row_id
  WHERE f.table_name = $1 AND a.auth_header_kid <> $2`;
const START = `INSERT INTO rotations (to_kid, state, rows_total, started_at)
  VALUES ($1, 'running', $2, now()) RETURNING *`;
const FINISH = `UPDATE rotations SET state = $1, finished_at = $2 WHERE state = 'running' RETURNING id`;
/** Nobody waits here: a row or a machine that somebody else holds is left for the next batch. */
const TAKE = `${SELECT_API}
  WHERE a.auth_header_kid = ANY ($1)
    AND NOT EXISTS (SELECT 1 FROM rotation_failures f WHERE f.table_name = $2 AND f.row_id = a.id)
  ORDER BY a.auth_header_kid, a.id LIMIT $3
  FOR UPDATE OF a SKIP LOCKED FOR SHARE OF m SKIP LOCKED`;
const REPLACE = `
  UPDATE user_external_apis a SET auth_header_enc = v.enc, auth_header_iv = v.iv, auth_header_kid = v.kid
  FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::text[]) AS v (id, enc, iv, kid) WHERE a.id = v.id`;
const NOTE_FAILURE = `
  INSERT INTO rotation_failures (table_name, row_id, kid, at) VALUES ($1, $2, $3, now())
  ON CONFLICT (table_name, row_id) DO UPDATE SET kid = excluded.kid, at = excluded.at`;
const ADD_DONE = `
  UPDATE rotations SET rows_done = rows_done + $2 WHERE id = $1 AND state = 'running' RETURNING id`;

const KidRow = z.object({ kid: z.string(), rows: bigint });
const RotationRow = z.object({
  id: bigint,
  to_kid: z.string(),
  state: z.enum(['running', 'done', 'cancelled']),
  rows_total: bigint,
  rows_done: bigint,
  started_at: moment,
  finished_at: moment.nullable(),
});

function toRotation(row: unknown): Rotation {
  const { id, state, ...rest } = RotationRow.parse(row);
  return {
    id,
    toKid: rest.to_kid,
    state,
    rowsTotal: rest.rows_total,
    rowsDone: rest.rows_done,
    startedAt: rest.started_at,
    finishedAt: rest.finished_at,
  };
}

function explainStart(err: unknown): never {
  if (isTaken(err, 'rotations_running'))
    throw new ProblemError('rotation_running', 'A rotation is already running.', { cause: err });
  throw err;
}
