import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { CallKind, CallOutcome, type RecordedCall } from '@zeq/contracts';
import { z } from 'zod';
import type { Queryable } from '../../db/database.ts';
import type { ActivityStore, KeptCall } from '../activity-store.ts';
import { bigint, bytes } from './columns.ts';

export function sqlActivityStore(db: Queryable): ActivityStore {
  return {
    async append(calls, keep) {
      if (calls.length === 0) return;
      const byApi = Map.groupBy(calls, (call) => call.api_id);
      const apiIds = [...byApi.keys()].sort();
      const names = await namesOf(db, calls);
      const sizes = apiIds.map((apiId) => byApi.get(apiId)!.length);
      const heads = (await db.query(NUMBER, [apiIds, sizes])).map((row) => HeadRow.parse(row));
      const pages = heads.map(({ api_id }) => pack(byApi.get(api_id)!.map((call) => toKept(call, names))));
      const [ids, lasts] = [heads.map(({ api_id }) => api_id), heads.map(({ seq }) => seq)];
      await db.query(APPEND, [ids, lasts, pages]);
      await db.query(TRIM, [apiIds, keep]);
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
const APPEND = `
  INSERT INTO activity_pages (api_id, last_seq, calls)
  SELECT api_id, last_seq, decode(calls, 'base64')
  FROM unnest($1::text[], $2::bigint[], $3::text[]) AS given (api_id, last_seq, calls)`;
/** Exactly what has fallen off the end: a walk over nothing else. */
const TRIM = `
  DELETE FROM activity_pages p USING activity_heads h
  WHERE h.api_id = ANY ($1::text[]) AND p.api_id = h.api_id AND p.last_seq <= h.seq - $2::bigint`;
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

const toKept = ({ api_id: _page, ...call }: RecordedCall, names: Names): Omit<KeptCall, 'seq'> => ({
  ...call,
  caller_name: names.get(call.caller_id)?.name ?? null,
  caller_prefix: names.get(call.caller_id)?.prefix ?? null,
});

/**
 * Deflated here, because a database that packs the text itself takes three times as long (pglz); as base64, because both drivers
 * write bytes as hexadecimal digits, one by one.
 */
const pack = (calls: readonly unknown[]): string =>
  deflateRawSync(JSON.stringify(calls), { level: 1 }).toString('base64');
const unpack = (packed: Buffer): unknown => JSON.parse(inflateRawSync(packed).toString('utf8'));

const HeadRow = z.object({ api_id: z.string(), seq: bigint });
const KeptRow = z.object({
  at: z.int(),
  kind: CallKind,
  caller_id: z.string(),
  caller_name: z.string().nullable(),
  caller_prefix: z.string().nullable(),
  method: z.string(),
  path: z.string(),
  status: z.int(),
  outcome: CallOutcome,
  code: z.string().nullable(),
  duration_ms: z.number(),
  bytes_in: z.int(),
  bytes_out: z.int(),
  tokens_in: z.int().nullable(),
  tokens_out: z.int().nullable(),
  request_id: z.string(),
});
const PageRow = z.object({ last_seq: bigint, calls: bytes.transform(unpack).pipe(z.array(KeptRow)) });

/** The calls of a page, rising; its last one has its number. */
function toCalls(row: unknown): KeptCall[] {
  const { last_seq, calls } = PageRow.parse(row);
  return calls.map((call, i) => ({ ...call, seq: last_seq - calls.length + 1 + i }));
}
