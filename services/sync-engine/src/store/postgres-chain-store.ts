import { randomBytes } from 'node:crypto';
import { type AttestedTick, type Head, headOf, sha256Hex } from '@zeq/crypto';
import { migrate, type Row, type SyncDatabase } from '../db/database.ts';
import type { ChainIdentity, ChainStore, Lease } from './chain-store.ts';
import { genesisHead, requireSame } from './file-chain-store.ts';
import { readRecord, writeRecord } from './tick-record.ts';

/** NOTIFY reaches every chain of the database: each has a channel of its own. */
const channelOf = (uid: string): string => `zeq_sync_${sha256Hex(uid).slice(0, 16)}`;

/**
 * The chain in PostgreSQL, for any number of engines. Time is the database's (`clock_timestamp`), so engines whose clocks differ agree
 * on a lease; the token is checked in the statement that appends, so there is no moment between checking and writing.
 *
 * @throws Error when the stored chain of this uid was signed with another key.
 */
export async function openPostgresChainStore(
  db: SyncDatabase,
  uid: string,
  publicKey: Buffer,
): Promise<ChainStore> {
  await migrate(db);
  const { plat, chain, seed } = firstRow(uid, publicKey);
  await db.query(
    'INSERT INTO sync_chain (uid, seed, public_key, plat, chain) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING',
    [uid, seed, publicKey, plat, chain],
  );
  const [row] = await db.query('SELECT uid, seed, public_key FROM sync_chain WHERE uid = $1', [uid]);
  const identity: ChainIdentity = { uid, seed: bytes(row, 'seed'), publicKey: bytes(row, 'public_key') };
  return new PostgresChainStore(db, requireSame(identity, uid, publicKey));
}

class PostgresChainStore implements ChainStore {
  readonly identity: ChainIdentity;
  readonly #db: SyncDatabase;

  constructor(db: SyncDatabase, identity: ChainIdentity) {
    this.#db = db;
    this.identity = identity;
  }

  async lead(holder: string, ttlMs: number): Promise<Lease | undefined> {
    const [row] = await this.#db.query(LEAD, [this.identity.uid, holder, ttlMs]);
    return row && { token: Number(row.token), head: toHead(row) };
  }

  async append({ token }: Lease, tick: AttestedTick, ttlMs: number): Promise<boolean> {
    const { depth, zeqond, plat, chain } = headOf(tick);
    const record = writeRecord(tick);
    const values = [
      this.identity.uid,
      token,
      depth,
      zeqond,
      plat,
      chain,
      record,
      ttlMs,
      channelOf(this.identity.uid),
      record.toString('base64'),
    ];
    return (await this.#db.query(APPEND, values)).length === 1;
  }

  async release({ token }: Lease): Promise<void> {
    const sql =
      "UPDATE sync_chain SET holder = NULL, lease_until = '-infinity' WHERE uid = $1 AND token = $2";
    await this.#db.query(sql, [this.identity.uid, token]);
  }

  async head(): Promise<Head> {
    const sql = 'SELECT depth, zeqond, plat, chain FROM sync_chain WHERE uid = $1';
    const [row] = await this.#db.query(sql, [this.identity.uid]);
    if (!row) throw new Error('the row of the chain is gone');
    return toHead(row);
  }

  async firstDepth(): Promise<number> {
    const [row] = await this.#db.query('SELECT min(depth) AS depth FROM sync_ticks WHERE uid = $1', [
      this.identity.uid,
    ]);
    return Number(row?.depth ?? 1);
  }

  async read(fromDepth: number, limit: number): Promise<AttestedTick[]> {
    const sql = 'SELECT depth, record FROM sync_ticks WHERE uid = $1 AND depth >= $2 ORDER BY depth LIMIT $3';
    const rows = await this.#db.query(sql, [this.identity.uid, fromDepth, limit]);
    return rows.map((row) => this.#toTick(row));
  }

  async depthAt(zeqond: number): Promise<number | undefined> {
    const sql = 'SELECT depth FROM sync_ticks WHERE uid = $1 AND zeqond >= $2 ORDER BY zeqond LIMIT 1';
    const [row] = await this.#db.query(sql, [this.identity.uid, zeqond]);
    return row && Number(row.depth);
  }

  onAppended(listener: (tick: AttestedTick | undefined) => void): void {
    this.#db.listen(channelOf(this.identity.uid), (payload) =>
      listener(payload === undefined ? undefined : readRecord(Buffer.from(payload, 'base64'), this.identity)),
    );
  }

  close(): Promise<void> {
    return this.#db.close();
  }

  #toTick(row: Row): AttestedTick {
    const tick = readRecord(bytes(row, 'record'), this.identity);
    if (tick?.tesc.depth !== Number(row.depth))
      throw new Error(`the stored tick at depth ${row.depth} is damaged`);
    return tick;
  }
}

/** A holder that asks again gets a new token as well: an append of its own that is still under way must not follow. */
const LEAD = `
  UPDATE sync_chain
  SET holder = $2, token = token + 1, lease_until = clock_timestamp() + $3 * interval '1 millisecond'
  WHERE uid = $1 AND (holder = $2 OR lease_until < clock_timestamp())
  RETURNING token, depth, zeqond, plat, chain`;

/**
 * One statement: the row of the chain is locked, token and head are checked, the head moves, the lease is prolonged, the tick is stored
 * and the other engines are told. Where the token or the head is not as expected nothing at all happens.
 */
const APPEND = `
  WITH moved AS (
    UPDATE sync_chain
    SET depth = $3, zeqond = $4, plat = $5, chain = $6,
        lease_until = clock_timestamp() + $8 * interval '1 millisecond'
    WHERE uid = $1 AND token = $2 AND depth = $3::bigint - 1 AND zeqond < $4
    RETURNING uid
  ), stored AS (
    INSERT INTO sync_ticks (uid, depth, zeqond, token, record)
    SELECT uid, $3, $4, $2, $7 FROM moved
    RETURNING depth
  )
  SELECT depth, pg_notify($9, $10) FROM stored`;

function firstRow(uid: string, publicKey: Buffer) {
  const seed = randomBytes(32);
  const { plat, chain } = genesisHead({ uid, seed, publicKey });
  return { seed, plat, chain };
}

function bytes(row: Row | undefined, name: string): Buffer {
  const value = row?.[name];
  if (!Buffer.isBuffer(value)) throw new Error(`the column ${name} is not there`);
  return value;
}

const toHead = (row: Row): Head => ({
  depth: Number(row.depth),
  zeqond: Number(row.zeqond),
  plat: bytes(row, 'plat'),
  chain: bytes(row, 'chain'),
});
