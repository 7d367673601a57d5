import { ChangeLine } from '@zeq/contracts';
import { z } from 'zod';
import type { Queryable } from '../../db/database.ts';
import type { ChangeStore } from '../change-store.ts';
import { bigint } from './columns.ts';

export function sqlChangeStore(db: Queryable): ChangeStore {
  return {
    async append({ what, machine_id, id }) {
      await db.query(APPEND, [what, machine_id, id]);
    },
    async head() {
      return HeadRow.parse((await db.query('SELECT epoch, seq FROM change_head'))[0]);
    },
    async since(seq, limit) {
      const rows = await db.query('SELECT * FROM change_log WHERE seq > $1 ORDER BY seq LIMIT $2', [
        seq,
        limit,
      ]);
      return rows.map(toChange);
    },
    async gone(ids, now) {
      return (await db.query(GONE, [ids, now])).map(({ id }) => z.string().parse(id));
    },
    async forget(seq) {
      await db.query('DELETE FROM change_log WHERE seq <= $1', [seq]);
    },
  };
}

/** It gets its number, and readers are notified, when the transaction commits: numbers become visible in their order. */
const APPEND = 'INSERT INTO change_outbox (what, machine_id, subject_id) VALUES ($1, $2, $3)';

const GONE = `
  SELECT asked.id FROM unnest($1::text[]) AS asked (id)
  WHERE NOT EXISTS (SELECT 1 FROM user_external_apis a WHERE a.id = asked.id)
    AND NOT EXISTS (SELECT 1 FROM machine_keys k WHERE k.id = asked.id AND (k.expires_at IS NULL OR k.expires_at > $2))
    AND NOT EXISTS (SELECT 1 FROM app_tokens t WHERE t.id = asked.id AND (t.expires_at IS NULL OR t.expires_at > $2))`;

const HeadRow = z.object({ epoch: z.string(), seq: bigint });
const ChangeSchema = ChangeLine.options[2];
const ChangeRow = z.object({
  seq: bigint,
  what: ChangeSchema.shape.what,
  machine_id: z.string(),
  subject_id: z.string(),
});

function toChange(row: unknown) {
  const { seq, what, machine_id, subject_id } = ChangeRow.parse(row);
  return { type: 'change' as const, seq, what, machine_id, id: subject_id };
}
