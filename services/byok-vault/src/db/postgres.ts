import { type Logger, safeError } from '@zeq/service-kit';
import pg from 'pg';
import type { Database, Row, Transaction } from './database.ts';
import { databaseUnavailable, fromDriver, isConnectionLoss, toDatabaseError } from './errors.ts';
import { PostgresWatch } from './postgres-watch.ts';
import { withRetries } from './retry.ts';

const POOL_SIZE = 10;
/**
 * How many may wait for a connection, and how long (ms): beyond either, the caller hears 503 instead of queueing. Within a second,
 * of which two hundred writes at once need a part for the way here and back.
 */
const MAX_WAITING = 100;
const WAIT_MS = 400;
/** How long making a connection may take (ms): longer than anybody waits, so that a slow server gets its connections at last. */
const CONNECT_MS = 10_000;
/** The server gives a statement up after this (ms), and a wait for a row lock before that. */
const STATEMENT_MS = 5_000;
const LOCK_MS = 3_000;
/** The client gives a connection up that says nothing at all for this long (ms): a half-open one never would. */
const SILENT_MS = 10_000;

/** A PostgreSQL server. Nothing is connected yet; a lost connection is replaced and never ends the process. */
export function openPostgres(url: string, log: Logger): Database {
  const settings: pg.PoolConfig = {
    connectionString: url,
    application_name: 'zeq-byok-vault',
    statement_timeout: STATEMENT_MS,
    lock_timeout: LOCK_MS,
    query_timeout: SILENT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
  };
  const pool = new pg.Pool({
    ...settings,
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: 0, // a connection at hand is worth more than a free one when the server is slow
  });
  pool.on('error', (err) => log.warn({ err: safeError(err) }, 'an idle database connection was lost'));
  // The pool listens only to idle ones. One in use may be lost between two queries, and an error that nobody hears ends Node.
  pool.on('connect', (client) =>
    client.on('error', (err) => log.debug({ err: safeError(err) }, 'a database connection was lost')),
  );
  const inTransaction = <T>(work: (tx: Transaction) => Promise<T>) => runTransaction(pool, work);
  return {
    query: (sql, values) => withClient(pool, (client) => run(client, sql, values)),
    transaction: (work) =>
      withRetries(() => inTransaction(work)).catch((err: unknown) => {
        throw toDatabaseError(err);
      }),
    watch: (channel, onNotify) => PostgresWatch.open(settings, channel, onNotify, log),
    close: () => pool.end(),
  };
}

async function withClient<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await checkOut(pool);
  let broken = false;
  try {
    return await work(client);
  } catch (err) {
    broken = isConnectionLoss(err);
    throw toDatabaseError(err);
  } finally {
    client.release(broken);
  }
}

/**
 * A caller waits no longer than `WAIT_MS`; a connection that comes later goes back to the pool, for the next one. A timer that is late
 * says that this process stood still: what happened meanwhile is heard first.
 */
function checkOut(pool: pg.Pool): Promise<pg.PoolClient> {
  if (pool.waitingCount >= MAX_WAITING) return Promise.reject(databaseUnavailable());
  return new Promise((resolve, reject) => {
    let isWaiting = true;
    const giveUp = (cause?: unknown) => {
      isWaiting = false;
      reject(databaseUnavailable(cause));
    };
    const begun = performance.now();
    let timer = setTimeout(() => {
      if (performance.now() - begun < 2 * WAIT_MS) giveUp();
      else timer = setTimeout(() => giveUp(), WAIT_MS);
    }, WAIT_MS);
    const hand = (client: pg.PoolClient) => (isWaiting ? resolve(client) : client.release());
    pool
      .connect()
      .then(hand, giveUp)
      .finally(() => clearTimeout(timer));
  });
}

/** Errors pass through as the driver made them: `withRetries` has to see them first. */
async function runTransaction<T>(pool: pg.Pool, work: (tx: Transaction) => Promise<T>): Promise<T> {
  const client = await checkOut(pool);
  let broken = true;
  try {
    await run(client, 'BEGIN');
    const result = await work({
      query: (sql, values) => run(client, sql, values),
      script: async (sql) => void (await client.query(sql)),
    });
    await run(client, 'COMMIT');
    broken = false;
    return result;
  } catch (err) {
    broken = isConnectionLoss(err) || !(await rolledBack(client));
    throw err;
  } finally {
    client.release(broken);
  }
}

async function rolledBack(client: pg.PoolClient): Promise<boolean> {
  return client.query('ROLLBACK').then(
    () => true,
    () => false, // the connection is dropped, and the server rolls back by itself
  );
}

async function run(client: pg.PoolClient, sql: string, values: readonly unknown[] = []): Promise<Row[]> {
  try {
    return (await client.query<Row>(sql, [...values])).rows;
  } catch (err) {
    throw fromDriver(err);
  }
}
