import type { UsageMinute } from '@zeq/contracts';
import { z } from 'zod';
import type { Queryable } from '../../db/database.ts';
import { COUNTS, type UsageStore } from '../usage-store.ts';
import { bigint, moment } from './columns.ts';

/** Counts by name, in jsonb. */
const MAPS = ['status', 'refused', 'latency'] as const satisfies readonly (keyof UsageMinute)[];
/** 'zequ' in ASCII. */
const HOUSEKEEPING_LOCK = 0x7a657175;

export function sqlUsageStore(db: Queryable): UsageStore {
  return {
    async takeBatch(instance, seq) {
      return (await db.query(TAKE_BATCH, [instance, seq])).length > 0;
    },
    async holdApis(apiIds) {
      const rows = await db.query(HOLD_APIS, [apiIds]);
      return new Set(rows.map(({ id }) => z.string().parse(id)));
    },
    async add(minutes) {
      await db.query(ADD, [JSON.stringify(minutes.map(toColumns))]);
    },
    async read(apiId, from, to) {
      return (await db.query(READ, [apiId, from, to])).map((row) => TallyColumns.parse(row));
    },
    async readMinutes(machineId, from) {
      return (await db.query(READ_MINUTES, [machineId, from])).map((row) => MinuteColumns.parse(row));
    },
    async fold(from, before, limit) {
      const rows = await db.query(FOLD[from], [before, limit]);
      return bigint.parse(rows[0]?.rows);
    },
    async forgetDays(before) {
      await db.query('DELETE FROM usage_day WHERE at < $1', [before]);
    },
    async forgetSources(before) {
      await db.query('DELETE FROM usage_sources WHERE heard_at < $1', [before]);
    },
    async tryHousekeeping() {
      const rows = await db.query('SELECT pg_try_advisory_xact_lock($1) AS mine', [HOUSEKEEPING_LOCK]);
      return z.boolean().parse(rows[0]?.mine);
    },
  };
}

const toColumns = ({ minute, ...rest }: UsageMinute) => ({
  ...rest,
  at: new Date(minute * 60_000).toISOString(),
});

const COLUMNS = ['api_id', 'at', ...COUNTS, ...MAPS].join(', ');
/** How a row is added to one that is there: `u` is that one. */
const INTO_PRESENT = [
  ...COUNTS.map((name) => `${name} = u.${name} + EXCLUDED.${name}`),
  ...MAPS.map((name) => `${name} = usage_add(u.${name}, EXCLUDED.${name})`),
].join(', ');
const UPSERT = `ON CONFLICT (api_id, at) DO UPDATE SET ${INTO_PRESENT}`;

/** A repetition that comes while the first one is still being counted waits here for its end. */
const TAKE_BATCH = `
  INSERT INTO usage_sources AS s (instance, seq, heard_at) VALUES ($1, $2, now())
  ON CONFLICT (instance) DO UPDATE SET seq = EXCLUDED.seq, heard_at = EXCLUDED.heard_at WHERE s.seq < EXCLUDED.seq
  RETURNING seq`;
const HOLD_APIS = 'SELECT id FROM user_external_apis WHERE id = ANY ($1::text[]) ORDER BY id FOR KEY SHARE';
const RECORD = [
  'api_id text',
  'at timestamptz',
  ...COUNTS.map((name) => `${name} bigint`),
  ...MAPS.map((name) => `${name} jsonb`),
].join(', ');
/** In order, so that two batches never wait for each other in a circle. */
const ADD = `
  INSERT INTO usage_minute AS u (${COLUMNS})
  SELECT ${COLUMNS} FROM jsonb_to_recordset($1::jsonb) AS given (${RECORD}) ORDER BY api_id, at ${UPSERT}`;

const readFrom = (table: string) =>
  `SELECT ${COLUMNS} FROM ${table} WHERE api_id = $1 AND at >= $2 AND at < $3`;
const READ = `${['usage_minute', 'usage_hour', 'usage_day'].map(readFrom).join(' UNION ALL ')} ORDER BY at`;
const READ_MINUTES = `
  SELECT u.api_id, u.at, u.requests, u.errors
  FROM usage_minute u JOIN user_external_apis a ON a.id = u.api_id
  WHERE a.machine_id = $1 AND u.at >= $2 ORDER BY u.api_id, u.at`;

/** One statement: a row leaves one table and arrives in the other, or neither. */
const fold = (from: string, into: string, step: string) => `
  WITH old AS (SELECT api_id, at FROM ${from} WHERE at < $1 ORDER BY at, api_id LIMIT $2 FOR UPDATE),
  moved AS (
    DELETE FROM ${from} f USING old WHERE f.api_id = old.api_id AND f.at = old.at
    RETURNING f.api_id, date_bin('${step}', f.at, 'epoch') AS at, ${[...COUNTS, ...MAPS].map((name) => `f.${name}`).join(', ')}
  ),
  added AS (
    INSERT INTO ${into} AS u (${COLUMNS})
    SELECT api_id, at, ${COUNTS.map((name) => `sum(${name})`).join(', ')}, ${MAPS.map((name) => `usage_sum(${name})`).join(', ')}
    FROM moved GROUP BY api_id, at ORDER BY api_id, at ${UPSERT}
  )
  SELECT count(*) AS rows FROM moved`;
const FOLD = {
  minute: fold('usage_minute', 'usage_hour', '1 hour'),
  hour: fold('usage_hour', 'usage_day', '1 day'),
};

const counts = z.record(z.string(), z.number());
const StatusColumn = counts.transform((found) => ({ ...NO_STATUS, ...found }));
const NO_STATUS = { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0, none: 0 };
const TallyColumns = z.object({
  at: moment,
  requests: bigint,
  sent: bigint,
  errors: bigint,
  aborted: bigint,
  websockets: bigint,
  tests: bigint,
  bytes_in: bigint,
  bytes_out: bigint,
  tokens_in: bigint,
  tokens_out: bigint,
  status: StatusColumn,
  refused: counts,
  latency: counts,
});
const MinuteColumns = z
  .object({ api_id: z.string(), at: moment, requests: bigint, errors: bigint })
  .transform(({ api_id: apiId, ...rest }) => ({ apiId, ...rest }));
