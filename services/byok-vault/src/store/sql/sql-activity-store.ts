import { CallKind, CallOutcome } from '@zeq/contracts';
import { z } from 'zod';
import type { Queryable } from '../../db/database.ts';
import type { ActivityStore, ActivityWindow, KeptCall } from '../activity-store.ts';
import { bigint, moment } from './columns.ts';

export function sqlActivityStore(db: Queryable): ActivityStore {
  return {
    async append(calls, keep) {
      if (calls.length === 0) return;
      const rows = JSON.stringify(calls.map((call, n) => ({ ...call, n })));
      await db.query(NUMBER, [rows]);
      await db.query(APPEND, [rows]);
      await db.query(TRIM, [[...new Set(calls.map((call) => call.api_id))], keep]);
    },
    async head(apiId) {
      const rows = await db.query('SELECT seq FROM activity_heads WHERE api_id = $1', [apiId]);
      return rows.length === 0 ? 0 : bigint.parse(rows[0]!.seq);
    },
    async read(apiId, window) {
      const sql = window.after === undefined ? READ_BACK : READ_ON;
      return (await db.query(sql, [apiId, ...valuesOf(window)])).map(toCall);
    },
  };
}

/** Takes as many numbers as each API needs, and holds its head until the commit. */
const NUMBER = `
  INSERT INTO activity_heads AS h (api_id, seq)
  SELECT api_id, count(*) FROM jsonb_to_recordset($1::jsonb) AS given (api_id text) GROUP BY api_id ORDER BY api_id
  ON CONFLICT (api_id) DO UPDATE SET seq = h.seq + EXCLUDED.seq`;
const RECORD = `n integer, api_id text, at timestamptz, kind text, caller_id text, method text, path text, status integer,
  outcome text, code text, duration_ms double precision, bytes_in bigint, bytes_out bigint, tokens_in bigint,
  tokens_out bigint, request_id text`;
const APPEND = `
  INSERT INTO activity (api_id, seq, at, kind, caller_id, caller_name, caller_prefix, method, path, status, outcome, code,
                        duration_ms, bytes_in, bytes_out, tokens_in, tokens_out, request_id)
  SELECT c.api_id,
         h.seq - count(*) OVER (PARTITION BY c.api_id) + row_number() OVER (PARTITION BY c.api_id ORDER BY c.n),
         c.at, c.kind, c.caller_id, coalesce(k.name, t.name), coalesce(k.prefix, t.prefix), c.method, c.path, c.status,
         c.outcome, c.code, c.duration_ms, c.bytes_in, c.bytes_out, c.tokens_in, c.tokens_out, c.request_id
  FROM jsonb_to_recordset($1::jsonb) AS c (${RECORD})
  JOIN activity_heads h ON h.api_id = c.api_id
  LEFT JOIN machine_keys k ON k.id = c.caller_id
  LEFT JOIN app_tokens t ON t.id = c.caller_id`;
/** Exactly what has fallen off the end: a walk over nothing else. */
const TRIM = `
  DELETE FROM activity a USING activity_heads h
  WHERE h.api_id = ANY ($1::text[]) AND a.api_id = h.api_id AND a.seq <= h.seq - $2`;

const MATCHES = `
  a.api_id = $1 AND a.seq < coalesce($2::bigint, 9223372036854775807) AND a.seq > coalesce($3::bigint, 0)
  AND ($5::integer IS NULL OR a.status / 100 = $5) AND ($6::text IS NULL OR a.outcome = $6)
  AND ($7::boolean IS NULL OR (CASE WHEN $7 THEN a.code IS NOT NULL ELSE a.code IS NULL AND a.status >= 400 END))
  AND ($8::text IS NULL OR a.kind = $8) AND ($9::text IS NULL OR a.caller_id = $9)
  AND ($10::text IS NULL OR a.method = $10) AND ($11::text IS NULL OR position(lower($11) IN lower(a.path)) > 0)`;
const READ_BACK = `SELECT * FROM activity a WHERE ${MATCHES} ORDER BY a.seq DESC LIMIT $4`;
const READ_ON = `SELECT * FROM activity a WHERE ${MATCHES} ORDER BY a.seq LIMIT $4`;

const CLASSES = { none: 0, '1xx': 1, '2xx': 2, '3xx': 3, '4xx': 4, '5xx': 5 } as const;

/** $2 to $11 of a reading. */
const valuesOf = (window: ActivityWindow): unknown[] => [
  window.before ?? null,
  window.after ?? null,
  window.limit,
  window.status === undefined ? null : CLASSES[window.status],
  window.outcome ?? null,
  window.said_no === undefined ? null : window.said_no === 'mesh',
  window.kind ?? null,
  window.caller ?? null,
  window.method ?? null,
  window.path ?? null,
];

const CallRow = z.object({
  seq: bigint,
  at: moment,
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
  bytes_in: bigint,
  bytes_out: bigint,
  tokens_in: bigint.nullable(),
  tokens_out: bigint.nullable(),
  request_id: z.string(),
});

function toCall(row: unknown): KeptCall {
  const { caller_name: callerName, caller_prefix: callerPrefix, ...rest } = CallRow.parse(row);
  return { ...rest, callerName, callerPrefix };
}
