import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, ProblemError, safeError } from '@zeq/service-kit';
import pg from 'pg';

/** The server gives a statement up after this; a tick that takes longer is late beyond use. */
const STATEMENT_MS = 700;
/** The client gives a connection up that says nothing at all for this long. */
const SILENT_MS = 1_500;
const CONNECT_MS = 700;
const POOL_SIZE = 4;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
/** Any number that nobody else in this database uses: "zeqs" in ASCII. */
const MIGRATION_LOCK = 0x7a657173;
const MIGRATIONS = new URL('./migrations/', import.meta.url);

export type Row = Record<string, unknown>;
export type Query = (sql: string, values?: readonly unknown[]) => Promise<Row[]>;

/** PostgreSQL as this service uses it. */
export interface SyncDatabase {
  query: Query;
  /** All or nothing. */
  transaction: <T>(work: (query: Query) => Promise<T>) => Promise<T>;
  /** Calls for each NOTIFY, and with undefined when some may have been missed (the listening connection is new). */
  listen: (channel: string, onNotify: (payload: string | undefined) => void) => void;
  close: () => Promise<void>;
}

/** Connects when the first statement is sent. A lost connection is replaced and never ends the process. */
export function openDatabase(url: string, log: Logger): SyncDatabase {
  const settings: pg.PoolConfig = {
    connectionString: url,
    application_name: 'zeq-sync-engine',
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    query_timeout: SILENT_MS,
    keepAlive: true,
  };
  const pool = new pg.Pool({ ...settings, max: POOL_SIZE, idleTimeoutMillis: 0 });
  pool.on('error', (err) => log.warn({ err: safeError(err) }, 'an idle database connection was lost'));
  const listeners: Listener[] = [];
  return {
    query: (sql, values = []) => known(async () => (await pool.query<Row>(sql, [...values])).rows),
    transaction: (work) => known(() => inTransaction(pool, work)),
    listen: (channel, onNotify) =>
      void listeners.push(new Listener({ ...settings, query_timeout: 0 }, channel, onNotify, log)),
    async close() {
      await Promise.all(listeners.map((listener) => listener.close()));
      await pool.end();
    },
  };
}

/** Brings the schema up to date. Several engines may start at once: one migrates, the others wait and find it done. */
export async function migrate(db: SyncDatabase): Promise<void> {
  await db.transaction(async (query) => {
    await query('SET LOCAL statement_timeout = 60000');
    await query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await query(
      'CREATE TABLE IF NOT EXISTS sync_migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL)',
    );
    const applied = new Set((await query('SELECT name FROM sync_migrations')).map(({ name }) => name));
    const names = readdirSync(MIGRATIONS).filter((name) => name.endsWith('.sql') && !applied.has(name));
    for (const name of names.sort()) {
      await query(readFileSync(new URL(name, MIGRATIONS), 'utf8'));
      await query('INSERT INTO sync_migrations (name, applied_at) VALUES ($1, now())', [name]);
    }
  });
}

/** A database that cannot be reached, or not in time, is told as such; a statement that is wrong stays our own error. */
async function known<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof ProblemError || (cause instanceof pg.DatabaseError && !AWAY.test(cause.code ?? '')))
      throw cause;
    throw new ProblemError('database_unavailable', 'The database does not answer; try again.', {
      cause,
      retryAfter: 1,
    });
  }
}

/** SQLSTATE of connection loss, shutdown, too many connections, and a statement that was given up. */
const AWAY = /^(08|57|53)/;

async function inTransaction<T>(pool: pg.Pool, work: (query: Query) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  const query: Query = async (sql, values) =>
    (values === undefined ? await client.query<Row>(sql) : await client.query<Row>(sql, [...values])).rows;
  try {
    await query('BEGIN');
    const result = await work(query);
    await query('COMMIT');
    client.release();
    return result;
  } catch (err) {
    client.release(true); // closing the connection rolls back, also when it can no longer be asked to
    throw err;
  }
}

/** LISTEN on a connection of its own that comes back for as long as it stands. */
class Listener {
  readonly #settings: pg.ClientConfig;
  readonly #channel: string;
  readonly #onNotify: (payload: string | undefined) => void;
  readonly #log: Logger;
  readonly #running: Promise<void>;
  #client: pg.Client | undefined;
  #closed = false;

  constructor(
    settings: pg.ClientConfig,
    channel: string,
    onNotify: (payload: string | undefined) => void,
    log: Logger,
  ) {
    this.#settings = settings;
    this.#channel = channel;
    this.#onNotify = onNotify;
    this.#log = log;
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#client
      ?.end()
      .catch((err: unknown) => this.#log.debug({ err: safeError(err) }, 'closing the listener'));
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#closed; failures += 1) {
      try {
        await this.#listenOnce(() => {
          failures = 0;
        });
      } catch (err) {
        if (failures === 0) this.#log.warn({ err: safeError(err) }, 'cannot listen to the database');
      }
      const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 10));
      if (!this.#closed) await sleep(longest * (0.5 + Math.random() / 2));
    }
  }

  /** Listens until the connection ends. */
  async #listenOnce(onListening: () => void): Promise<void> {
    const client = new pg.Client(this.#settings);
    const ended = new Promise<void>((resolve) => client.once('end', resolve));
    client.on('error', (err) =>
      this.#log.debug({ err: safeError(err) }, 'the listening connection was lost'),
    );
    client.on('notification', ({ payload }) => this.#onNotify(payload ?? ''));
    await client.connect();
    this.#client = client;
    await client.query(`LISTEN ${pg.escapeIdentifier(this.#channel)}`);
    if (this.#closed) return void (await client.end());
    onListening();
    this.#onNotify(undefined);
    await ended;
  }
}
