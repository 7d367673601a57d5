/** One row as the driver gives it; whoever reads it parses it. */
export type Row = Record<string, unknown>;

/** Something that takes SQL: the database, a transaction, or the watch connection. */
export interface Queryable {
  /**
   * Runs one statement with bound values.
   *
   * @throws ProblemError `database_unavailable` when the statement could not run for want of a database.
   */
  query(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** A transaction: everything or nothing. */
export interface Transaction extends Queryable {
  /** Runs several statements without values; only migrations need this. */
  script(sql: string): Promise<void>;
}

/** A connection of its own, so that it works while all others are taken. It comes back by itself after a loss. */
export interface Watch extends Queryable {
  close(): Promise<void>;
}

/** PostgreSQL, as a server or embedded: the same SQL runs on both. */
export interface Database extends Queryable {
  /** Commits when `work` resolves and rolls back when it throws; runs it again after a deadlock or a failed serialisation. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** Listens on a channel. `onNotify` is also called after a reconnection: something may have been missed. */
  watch(channel: string, onNotify: () => void): Promise<Watch>;
  close(): Promise<void>;
}
