import { genesisChain, type SealedField } from '@zeq/crypto';
import type { Query, Row, SyncDatabase } from '../db/database.ts';
import { linkMessage } from './link-message.ts';
import {
  type AppendAnswer,
  type ChannelKey,
  type ChannelRecord,
  type ChannelState,
  MAX_CHANNELS_PER_MACHINE,
  MAX_KEPT_MESSAGES,
  MAX_MEMBERS,
  type Member,
  type MessageDraft,
  type SealedKey,
  type StoredMessage,
  type TescStore,
} from './tesc-store.ts';

const NOTIFY = 'zeq_tesc_message';
/** Ciphertext under this service's own secret, which `reseal` moves to the current one. A test compares with the schema. */
export const RESEALED_COLUMNS = ['tesc_keys.secret_enc'] as const;

/** Channels in PostgreSQL, for any number of engines. The row of a channel is locked where order matters. */
export class PostgresTescStore implements TescStore {
  readonly #db: SyncDatabase;

  /** @param db Migrated; it is closed with the store. */
  constructor(db: SyncDatabase) {
    this.#db = db;
  }

  create(channel: ChannelRecord, key: ChannelKey): Promise<boolean> {
    const { id, name, ownerId, createdAt, messageTtlSeconds, seed, salt } = channel;
    return this.#db.transaction(async (query) => {
      await query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`tesc ${ownerId}`]);
      const [row] = await query('SELECT count(*) AS count FROM tesc_channels WHERE owner_id = $1', [ownerId]);
      if (Number(row!.count) >= MAX_CHANNELS_PER_MACHINE) return false;
      await query(
        `INSERT INTO tesc_channels (id, name, owner_id, created_at, message_ttl_seconds, seed, salt, chain)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [id, name, ownerId, createdAt, messageTtlSeconds, seed, salt, genesisChain(seed, id)],
      );
      await insertKey(query, id, key);
      return true;
    });
  }

  async find(id: string): Promise<ChannelState | undefined> {
    const [channel] = await this.#states('c.id = $1', id);
    return channel;
  }

  listOf(machineId: string): Promise<ChannelState[]> {
    return this.#states(
      'c.owner_id = $1 OR EXISTS (SELECT 1 FROM tesc_members m WHERE m.channel_id = c.id AND m.machine_id = $1)',
      machineId,
    );
  }

  async remove(id: string, ownerId: string): Promise<boolean> {
    const sql = 'DELETE FROM tesc_channels WHERE id = $1 AND owner_id = $2 RETURNING id';
    return (await this.#db.query(sql, [id, ownerId])).length === 1;
  }

  join(
    id: string,
    { uid, machineId, joinedAt, plat }: Member,
  ): Promise<'joined' | 'taken' | 'full' | 'gone'> {
    return this.#db.transaction(async (query) => {
      if (!(await lockChannel(query, id))) return 'gone';
      const rows = await query('SELECT uid FROM tesc_members WHERE channel_id = $1', [id]);
      if (rows.some((row) => row.uid === uid)) return 'taken';
      if (rows.length >= MAX_MEMBERS) return 'full';
      const sql =
        'INSERT INTO tesc_members (channel_id, uid, machine_id, joined_at, plat) VALUES ($1, $2, $3, $4, $5)';
      await query(sql, [id, uid, machineId, joinedAt, plat]);
      return 'joined';
    });
  }

  rotate(id: string, key: ChannelKey, previousRetiresAt: number, now: number): Promise<void> {
    return this.#db.transaction(async (query) => {
      await lockChannel(query, id);
      await query('UPDATE tesc_keys SET retires_at = $2 WHERE channel_id = $1 AND retires_at IS NULL', [
        id,
        previousRetiresAt,
      ]);
      await query('DELETE FROM tesc_keys WHERE channel_id = $1 AND retires_at <= $2', [id, now]);
      await insertKey(query, id, key);
    });
  }

  async reseal(id: string, version: number, { iv, ciphertext, kid }: SealedField): Promise<void> {
    const sql = `UPDATE tesc_keys SET secret_enc = $3, secret_iv = $4, secret_kid = $5 WHERE channel_id = $1 AND version = $2`;
    await this.#db.query(sql, [id, version, ciphertext, iv, kid]);
  }

  async sealedUnderOther(kid: string): Promise<SealedKey[]> {
    const sql = 'SELECT channel_id, version, secret_kid FROM tesc_keys WHERE secret_kid <> $1';
    const rows = await this.#db.query(sql, [kid]);
    return rows.map((row) => ({
      id: String(row.channel_id),
      version: Number(row.version),
      kid: String(row.secret_kid),
    }));
  }

  append(id: string, draft: MessageDraft): Promise<AppendAnswer> {
    return this.#db.transaction(async (query) => {
      if (!(await lockChannel(query, id))) return { answer: 'gone' };
      const [row] = await query(STANDING, [id, draft.uid, draft.plat]);
      if (!row) return { answer: 'gone' };
      const answer = linkMessage(
        {
          depth: Number(row.depth),
          chain: row.chain as Buffer,
          prev: (row.prev as Buffer | null) ?? undefined,
          known: row.known === true,
        },
        draft,
      );
      if (answer.answer === 'stored') await storeMessage(query, id, answer.message);
      return answer;
    });
  }

  async messages(id: string, after: number, limit: number, now: number): Promise<StoredMessage[]> {
    const sql =
      'SELECT * FROM tesc_messages WHERE channel_id = $1 AND seq > $2 AND expires_at > $4 ORDER BY seq LIMIT $3';
    return (await this.#db.query(sql, [id, after, limit, now])).map(toMessage);
  }

  async prune(now: number): Promise<void> {
    await this.#db.query('DELETE FROM tesc_messages WHERE expires_at <= $1', [now]);
    await this.#db.query('DELETE FROM tesc_keys WHERE retires_at <= $1', [now]);
  }

  onMessage(listener: (id: string | undefined) => void): void {
    this.#db.listen(NOTIFY, listener);
  }

  close(): Promise<void> {
    return this.#db.close();
  }

  async #states(where: string, value: string): Promise<ChannelState[]> {
    const rows = await this.#db.query(`${STATES} WHERE ${where} ORDER BY c.created_at, c.id`, [value]);
    return rows.map(toState);
  }
}

const STATES = `
  SELECT c.*,
    (SELECT json_agg(json_build_object('version', k.version, 'enc', encode(k.secret_enc, 'hex'), 'iv', encode(k.secret_iv, 'hex'),
       'kid', k.secret_kid, 'retires_at', k.retires_at) ORDER BY k.version) FROM tesc_keys k WHERE k.channel_id = c.id) AS keys,
    (SELECT json_agg(json_build_object('uid', m.uid, 'machine_id', m.machine_id, 'joined_at', m.joined_at,
       'plat', encode(m.plat, 'hex')) ORDER BY m.joined_at, m.uid) FROM tesc_members m WHERE m.channel_id = c.id) AS members
  FROM tesc_channels c`;

/** Asked in a statement of its own, after the lock: one that locks and reads would read what stood before it waited. */
const STANDING = `
  SELECT c.depth, c.chain,
    (SELECT plat FROM tesc_members WHERE channel_id = c.id AND uid = $2) AS prev,
    EXISTS (SELECT 1 FROM tesc_messages WHERE channel_id = c.id AND plat = $3) AS known
  FROM tesc_channels c WHERE c.id = $1`;

async function lockChannel(query: Query, id: string): Promise<boolean> {
  return (await query('SELECT id FROM tesc_channels WHERE id = $1 FOR UPDATE', [id])).length === 1;
}

async function insertKey(
  query: Query,
  id: string,
  { version, sealed, retiresAt }: ChannelKey,
): Promise<void> {
  await query(
    `INSERT INTO tesc_keys (channel_id, version, secret_enc, secret_iv, secret_kid, retires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
    [id, version, sealed.ciphertext, sealed.iv, sealed.kid, retiresAt],
  );
}

async function storeMessage(query: Query, id: string, message: StoredMessage): Promise<void> {
  const { seq, uid, zeqond, prev, iv, ciphertext, plat, chain, keyVersion, receivedAt, expiresAt } = message;
  await query(
    `INSERT INTO tesc_messages (channel_id, seq, uid, zeqond, prev, iv, ciphertext, plat, chain, key_version, received_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [id, seq, uid, zeqond, prev, iv, ciphertext, plat, chain, keyVersion, receivedAt, expiresAt],
  );
  await query('UPDATE tesc_members SET plat = $3 WHERE channel_id = $1 AND uid = $2', [id, uid, plat]);
  await query('UPDATE tesc_channels SET depth = $2, chain = $3 WHERE id = $1', [id, seq, chain]);
  await query('DELETE FROM tesc_messages WHERE channel_id = $1 AND seq <= $2', [id, seq - MAX_KEPT_MESSAGES]);
  await query('SELECT pg_notify($1, $2)', [NOTIFY, id]);
}

interface KeyJson {
  version: number;
  enc: string;
  iv: string;
  kid: string;
  retires_at: number | null;
}
interface MemberJson {
  uid: string;
  machine_id: string;
  joined_at: number;
  plat: string;
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

const toState = (row: Row): ChannelState => ({
  id: String(row.id),
  name: row.name as string | null,
  ownerId: String(row.owner_id),
  createdAt: Number(row.created_at),
  messageTtlSeconds: Number(row.message_ttl_seconds),
  seed: row.seed as Buffer,
  salt: row.salt as Buffer,
  depth: Number(row.depth),
  chain: row.chain as Buffer,
  keys: ((row.keys as KeyJson[] | null) ?? []).map(({ version, enc, iv, kid, retires_at }) => ({
    version,
    sealed: { iv: hex(iv), ciphertext: hex(enc), kid },
    retiresAt: retires_at,
  })),
  members: ((row.members as MemberJson[] | null) ?? []).map(({ uid, machine_id, joined_at, plat }) => ({
    uid,
    machineId: machine_id,
    joinedAt: joined_at,
    plat: hex(plat),
  })),
});

const toMessage = (row: Row): StoredMessage => ({
  seq: Number(row.seq),
  uid: String(row.uid),
  zeqond: Number(row.zeqond),
  prev: row.prev as Buffer,
  iv: row.iv as Buffer,
  ciphertext: row.ciphertext as Buffer,
  plat: row.plat as Buffer,
  chain: row.chain as Buffer,
  keyVersion: Number(row.key_version),
  receivedAt: Number(row.received_at),
  expiresAt: Number(row.expires_at),
});
