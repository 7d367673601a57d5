import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, safeError } from '@zeq/service-kit';
import pg from 'pg';
import type { Row, Watch } from './database.ts';
import { databaseUnavailable, fromDriver, isConnectionLoss, toDatabaseError } from './errors.ts';

const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 2_000;
const CONNECT_MS = 4_000;
/** A query on the watch that takes longer (ms) means that the connection is dead. */
const QUERY_MS = 4_000;

/** LISTEN on a connection of its own that comes back, with jittered pauses, for as long as the watch stands. */
export class PostgresWatch implements Watch {
  readonly #settings: pg.ClientConfig;
  readonly #channel: string;
  readonly #onNotify: () => void;
  readonly #log: Logger;
  readonly #closed = new AbortController();
  readonly #running: Promise<void>;
  #client: pg.Client | undefined;

  /** Resolves after the first attempt, whether it succeeded or not: a watch may begin before its database does. */
  static async open(...args: ConstructorParameters<typeof PostgresWatch>): Promise<PostgresWatch> {
    const watch = new PostgresWatch(...args);
    await watch.#tried.promise;
    return watch;
  }

  readonly #tried = Promise.withResolvers<void>();

  constructor(settings: pg.ClientConfig, channel: string, onNotify: () => void, log: Logger) {
    this.#settings = { ...settings, connectionTimeoutMillis: CONNECT_MS, query_timeout: QUERY_MS };
    this.#channel = channel;
    this.#onNotify = onNotify;
    this.#log = log;
    this.#running = this.#run();
  }

  async query(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const client = this.#client;
    if (client === undefined) throw databaseUnavailable();
    try {
      return (await client.query<Row>(sql, [...values])).rows;
    } catch (err) {
      const known = fromDriver(err);
      if (isConnectionLoss(known)) this.#drop(client);
      throw toDatabaseError(known);
    }
  }

  async close(): Promise<void> {
    this.#closed.abort();
    if (this.#client !== undefined) this.#drop(this.#client);
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#closed.signal.aborted; failures += 1) {
      const client = new pg.Client(this.#settings);
      const ended = new Promise<void>((resolve) => client.once('end', resolve));
      try {
        await this.#connect(client);
        failures = 0;
        this.#tried.resolve();
        await ended;
      } catch (err) {
        if (failures === 0) this.#log.warn({ err: safeError(err) }, 'the watch on the database is lost');
        this.#drop(client);
      }
      this.#tried.resolve();
      await this.#pause(failures);
    }
  }

  async #connect(client: pg.Client): Promise<void> {
    client.on('error', (err) => {
      this.#log.warn({ err: safeError(err) }, 'the watch on the database is lost');
      this.#drop(client);
    });
    client.on('notification', () => this.#onNotify());
    await client.connect();
    await client.query(`LISTEN ${pg.escapeIdentifier(this.#channel)}`);
    if (this.#closed.signal.aborted) return this.#drop(client);
    this.#client = client;
    this.#onNotify();
  }

  /** Gives a connection up without waiting for the server's goodbye: `end` alone would wait on a half-open one. */
  #drop(client: pg.Client): void {
    if (this.#client === client) this.#client = undefined;
    const { stream } = (client as unknown as { connection: { stream: { destroy: () => void } } }).connection;
    client.end().catch((err: unknown) => this.#log.debug({ err: safeError(err) }, 'closing the watch'));
    stream.destroy();
  }

  async #pause(failures: number): Promise<void> {
    const longest = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** failures);
    const pause = sleep(longest * (0.5 + Math.random() / 2), undefined, { signal: this.#closed.signal });
    await pause.catch((err: unknown) => {
      if (!this.#closed.signal.aborted) throw err;
    });
  }
}
