import { AuditChangeLeaf } from '@zeq/contracts';
import { canonicalJson, foldSubtrees, MERKLE_HASH_BYTES, merkleLeaf } from '@zeq/crypto';
import { z } from 'zod';
import type { Queryable } from '../../db/database.ts';
import type { AuditRecord, AuditStore, ClosedHead } from '../audit-store.ts';
import { CallsColumn } from './call-pages.ts';
import { bigint, bytes, json, moment } from './columns.ts';

export function sqlAuditStore(db: Queryable): AuditStore {
  return {
    async insertChange(change) {
      const { machine_id, api_ids, what, subject_id } = change;
      const said = canonicalJson(change);
      const leafHash = merkleLeaf(said).toString('base64');
      await db.query(INSERT_CHANGE, [machine_id, api_ids, what, subject_id, said, leafHash]);
    },
    async machinesOf(apiIds) {
      const rows = (await db.query(MACHINES_OF, [apiIds])).map((row) => OwnerRow.parse(row));
      return new Map(rows.map(({ api_id, machine_id }) => [api_id, machine_id]));
    },
    async close(zeqond, now) {
      return closedOf((await db.query(CLOSE, [zeqond, now]))[0])!;
    },
    async heads() {
      const [row] = await db.query('SELECT * FROM audit_head');
      const { size, peaks } = HeadRow.parse(row);
      return { size, root: foldSubtrees(peaks), closed: closedOf(row) };
    },
    async hashes(subtrees) {
      const [levels, places] = [subtrees.map(({ level }) => level), subtrees.map(({ index }) => index)];
      const rows = (await db.query(HASHES, [levels, places])).map((row) => NodeRow.parse(row));
      if (rows.length !== subtrees.length) throw new Error('the audit log lacks a part of its tree');
      return rows.map(({ hash }) => hash);
    },
    async read({ machineId, apiId, from, to, since, until }, limit) {
      const rows = await db.query(READ, [machineId, apiId, from, to, since, until, limit]);
      return rows.map((row) => toRecord(row));
    },
    async findCall(machineId, apiId, number) {
      const [row] = await db.query(FIND_CALL, [machineId, apiId, number]);
      const record = row && toRecord(row);
      return record?.kind === 'calls' && record.first <= number ? record : undefined;
    },
    async forget(before, limit) {
      const counts = await Promise.all(FORGET.map((sql) => db.query(sql, [before, limit])));
      return counts.reduce((sum, [row]) => sum + bigint.parse(row?.rows), 0);
    },
    async forgetMachine(machineId) {
      const rows = await db.query('DELETE FROM activity_pages WHERE machine_id = $1 RETURNING api_id', [
        machineId,
      ]);
      const apiIds = rows.map(({ api_id }) => z.string().parse(api_id));
      await db.query('DELETE FROM activity_heads WHERE api_id = ANY ($1::text[])', [[...new Set(apiIds)]]);
      await db.query('DELETE FROM audit_changes WHERE machine_id = $1', [machineId]);
    },
  };
}

const INSERT_CHANGE = `
  INSERT INTO audit_changes (machine_id, api_ids, what, subject_id, change, unplaced)
  VALUES ($1, $2, $3, $4, $5, decode($6, 'base64'))`;
const MACHINES_OF = `
  SELECT id AS api_id, machine_id FROM user_external_apis WHERE id = ANY ($1::text[])
  UNION
  SELECT subject_id, machine_id FROM audit_changes WHERE what = 'api_removed' AND subject_id = ANY ($1::text[])`;
/** A head that was taken before keeps its Zeqond. */
const CLOSE = `
  UPDATE audit_head SET
    closed_size = size,
    closed_root = audit_root(peaks),
    closed_zeqond = CASE WHEN closed_root IS NOT NULL AND closed_size = size THEN closed_zeqond ELSE $1 END,
    closed_at = $2
  RETURNING *`;
const HASHES = `
  SELECT n.hash
  FROM unnest($1::smallint[], $2::bigint[]) WITH ORDINALITY AS asked (level, place, at)
  JOIN audit_nodes n ON n.level = asked.level AND n.place = asked.place
  ORDER BY asked.at`;
const PAGE = `leaf, recorded_at, machine_id, api_id, last_seq, calls, NULL AS change`;
const CHANGE = `leaf, recorded_at, machine_id, NULL AS api_id, NULL AS last_seq, NULL AS calls, change`;
const IN_SPAN = 'leaf >= $3 AND leaf < $4 AND recorded_at >= $5 AND recorded_at < $6';
const READ = `
  (SELECT ${PAGE} FROM activity_pages WHERE machine_id = $1 AND api_id = $2 AND ${IN_SPAN} ORDER BY leaf LIMIT $7)
  UNION ALL
  (SELECT ${CHANGE} FROM audit_changes
   WHERE (machine_id = $1 OR machine_id IS NULL) AND (api_ids IS NULL OR $2 = ANY (api_ids)) AND ${IN_SPAN}
   ORDER BY leaf LIMIT $7)
  ORDER BY leaf LIMIT $7`;
const FIND_CALL = `
  SELECT ${PAGE} FROM activity_pages
  WHERE machine_id = $1 AND api_id = $2 AND last_seq >= $3 AND leaf IS NOT NULL ORDER BY last_seq LIMIT 1`;
/** The oldest first, so that what is left has no gaps. `api_removed` goes with the rest: what it explains is then as old. */
const FORGET = ['activity_pages', 'audit_changes'].map(
  (table) => `
  WITH gone AS (
    DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE recorded_at < $1 ORDER BY recorded_at LIMIT $2)) RETURNING 1
  )
  SELECT count(*) AS rows FROM gone`,
);

const HeadRow = z.object({ size: bigint, peaks: bytes.transform(split) });
const NodeRow = z.object({ hash: bytes });
const OwnerRow = z.object({ api_id: z.string(), machine_id: z.string() });
const ClosedRow = z.object({
  closed_size: bigint,
  closed_root: bytes,
  closed_zeqond: bigint,
  closed_at: moment,
});
const RecordRow = z.object({ leaf: bigint, recorded_at: moment });
const PageRow = z.object({
  machine_id: z.string(),
  api_id: z.string(),
  last_seq: bigint,
  calls: CallsColumn,
});
const ChangeRow = z.object({ change: json(AuditChangeLeaf) });

function split(peaks: Buffer): Buffer[] {
  return Array.from({ length: peaks.length / MERKLE_HASH_BYTES }, (_, i) =>
    peaks.subarray(i * MERKLE_HASH_BYTES, (i + 1) * MERKLE_HASH_BYTES),
  );
}

function closedOf(row: Record<string, unknown> | undefined): ClosedHead | undefined {
  if (row?.closed_root == null) return undefined;
  const { closed_size: size, closed_root: root, closed_zeqond: zeqond, closed_at: at } = ClosedRow.parse(row);
  return { size, root, zeqond, at };
}

function toRecord(row: Record<string, unknown>): AuditRecord {
  const { leaf, recorded_at: recordedAt } = RecordRow.parse(row);
  if (row.change !== null) return { kind: 'change', leaf, recordedAt, ...ChangeRow.parse(row) };
  const { machine_id: machineId, api_id: apiId, last_seq, calls } = PageRow.parse(row);
  return { kind: 'calls', leaf, recordedAt, machineId, apiId, first: last_seq - calls.length + 1, calls };
}
