import type { RecordedCall } from '@zeq/contracts';
import { z } from 'zod';
import type { Queryable } from '../../db/database.ts';
import type { ActivityStore, KeptCall } from '../activity-store.ts';
import { CallsColumn, packCalls } from './call-pages.ts';
import { bigint } from './columns.ts';

export function sqlActivityStore(db: Queryable): ActivityStore {
  return {
    async number(calls) {
      if (calls.length === 0) return [];
      const byApi = Map.groupBy(calls, (call) => call.api_id);
      const apiIds = [...byApi.keys()].sort();
      const names = await namesOf(db, calls);
      const sizes = apiIds.map((apiId) => byApi.get(apiId)!.length);
      const heads = (await db.query(NUMBER, [apiIds, sizes])).map((row) => HeadRow.parse(row));
      return heads.map(({ api_id: apiId, seq }) => {
        const kept = byApi.get(apiId)!.map((call) => canonicalCall(call, names));
        return { apiId, first: seq - kept.length + 1, calls: kept };
      });
    },
    async insert(pages) {
      if (pages.length === 0) return;
      await db.query(INSERT, [
        pages.map(({ apiId }) => apiId),
        pages.map(({ machineId }) => machineId),
        pages.map(({ first, calls }) => first + calls.length - 1),
        pages.map(({ calls }) => packCalls(calls)),
        pages.map(({ leafHash }) => leafHash.toString('base64')),
      ]);
    },
    async head(apiId) {
      const rows = await db.query('SELECT api_id, seq FROM activity_heads WHERE api_id = $1', [apiId]);
      return rows.length === 0 ? 0 : HeadRow.parse(rows[0]).seq;
    },
    async read(apiId, place, pages) {
      if ('after' in place) {
        const rows = await db.query(READ_ON, [apiId, place.after, pages]);
        return rows.flatMap(toCalls).filter(({ seq }) => seq > place.after);
      }
      const rows = await db.query(READ_BACK, [apiId, place.before, pages]);
      return rows.flatMap((row) => toCalls(row).reverse()).filter(({ seq }) => seq < place.before);
    },
  };
}

/** Takes as many numbers as each API needs, and holds its head until the commit. */
const NUMBER = `
  INSERT INTO activity_heads AS h (api_id, seq) SELECT * FROM unnest($1::text[], $2::bigint[])
  ON CONFLICT (api_id) DO UPDATE SET seq = h.seq + EXCLUDED.seq RETURNING api_id, seq`;
const INSERT = `
  INSERT INTO activity_pages (api_id, machine_id, last_seq, calls, unplaced)
  SELECT api_id, machine_id, last_seq, decode(calls, 'base64'), decode(leaf_hash, 'base64')
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[])
    AS given (api_id, machine_id, last_seq, calls, leaf_hash)`;
const READ_BACK = `
  (SELECT last_seq, calls FROM activity_pages WHERE api_id = $1 AND last_seq >= $2 ORDER BY last_seq LIMIT 1)
  UNION ALL
  (SELECT last_seq, calls FROM activity_pages WHERE api_id = $1 AND last_seq < $2 ORDER BY last_seq DESC LIMIT $3)
  ORDER BY last_seq DESC`;
const READ_ON = `
  SELECT last_seq, calls FROM activity_pages WHERE api_id = $1 AND last_seq > $2 ORDER BY last_seq LIMIT $3`;
const NAMES = `
  SELECT id, name, prefix FROM machine_keys WHERE id = ANY ($1::text[])
  UNION ALL SELECT id, name, prefix FROM app_tokens WHERE id = ANY ($1::text[])`;

const NameRow = z.object({ id: z.string(), name: z.string(), prefix: z.string() });
type Names = ReadonlyMap<string, z.infer<typeof NameRow>>;

async function namesOf(db: Queryable, calls: readonly RecordedCall[]): Promise<Names> {
  const rows = await db.query(NAMES, [[...new Set(calls.map((call) => call.caller_id))]]);
  return new Map(rows.map((row) => NameRow.parse(row)).map((row) => [row.id, row]));
}

/**
 * Members in the order of RFC 8785 and numbers as JavaScript writes them, so that this is what `canonicalJson` would write, at a tenth
 * of its cost: it is done for every call.
 */
const canonicalCall = (call: RecordedCall, names: Names): string =>
  JSON.stringify({
    at: call.at,
    bytes_in: call.bytes_in,
    bytes_out: call.bytes_out,
    caller_id: call.caller_id,
    caller_name: names.get(call.caller_id)?.name ?? null,
    caller_prefix: names.get(call.caller_id)?.prefix ?? null,
    code: call.code,
    duration_ms: call.duration_ms,
    kind: call.kind,
    method: call.method,
    outcome: call.outcome,
    path: call.path,
    request_id: call.request_id,
    status: call.status,
    tokens_in: call.tokens_in,
    tokens_out: call.tokens_out,
  });

const HeadRow = z.object({ api_id: z.string(), seq: bigint });
const PageRow = z.object({ last_seq: bigint, calls: CallsColumn });

/** The calls of a page, rising; its last one has its number. */
function toCalls(row: unknown): KeptCall[] {
  const { last_seq, calls } = PageRow.parse(row);
  return calls.map((call, i) => ({ ...call, seq: last_seq - calls.length + 1 + i }));
}
