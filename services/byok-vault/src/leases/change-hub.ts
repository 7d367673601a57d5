import { type Change, type ChangeLine, FEED_HEARTBEAT_MS } from '@zeq/contracts';
import { type Logger, ProblemError, safeError } from '@zeq/service-kit';
import type { Database, Watch } from '../db/database.ts';
import { databaseUnavailable } from '../db/errors.ts';
import { CHANGES_CHANNEL, type ChangeStore, type LogHead } from '../store/change-store.ts';
import { sqlChangeStore } from '../store/sql/sql-change-store.ts';

/** How many changes are kept for readers that were away; who missed more forgets everything. */
export const KEPT_CHANGES = 10_000;
const BATCH = 1_000;
/** The log is cut when it has grown this much beyond what is kept. */
const CUT_EVERY = 1_000;

/** One reader of the feed. */
export interface Reader {
  tell: (lines: readonly ChangeLine[]) => void;
  /** The vault stops: a reader that is told goes elsewhere at once, where silence would keep it waiting. */
  end: () => void;
}

/**
 * Passes the log of changes on to this vault's readers. It reads the log on a connection of its own, when a notification comes and
 * every 500 ms; each successful reading is a heartbeat. So a heartbeat says "as of now you have missed nothing", and a vault that
 * has lost its database, or reads it too late, is silent.
 */
export class ChangeHub {
  readonly #db: Database;
  readonly #log: Logger;
  readonly #readers = new Set<Reader>();
  #kept: Change[] = [];
  #head: LogHead | undefined;
  /** The seq before the first one kept. */
  #floor = 0;
  #cutAt = 0;
  #watch: Watch | undefined;
  #store: ChangeStore | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> | undefined;
  #again = false;
  #failing = false;

  constructor(db: Database, log: Logger) {
    this.#db = db;
    this.#log = log;
  }

  async start(): Promise<void> {
    this.#watch ??= await this.#db.watch(CHANGES_CHANNEL, () => void this.#poke());
    this.#store = sqlChangeStore(this.#watch);
    this.#timer = setInterval(() => void this.#poke(), FEED_HEARTBEAT_MS);
    await this.#poke();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#reading;
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
    await this.#watch?.close();
  }

  /** Whether the log could be read when it was last tried. */
  get isReading(): boolean {
    return this.#head !== undefined && !this.#failing;
  }

  /**
   * Adds a reader. It first gets a hello, then what it missed if the log still holds it, then everything as it happens.
   *
   * @param since Where the reader stands, if it has read before; only within the same epoch.
   * @returns Ends the reading.
   * @throws ProblemError `database_unavailable` when the log cannot be read just now.
   */
  async follow(since: LogHead | undefined, reader: Reader): Promise<() => void> {
    await this.#poke();
    const head = this.#head;
    if (head === undefined || this.#failing) throw databaseUnavailable();
    const complete =
      since !== undefined && since.epoch === head.epoch && since.seq >= this.#floor && since.seq <= head.seq;
    const missed = complete ? this.#kept.filter((change) => change.seq > since.seq) : [];
    reader.tell([{ type: 'hello', ...head, complete }, ...missed, { type: 'alive', seq: head.seq }]);
    this.#readers.add(reader);
    return () => void this.#readers.delete(reader);
  }

  /** Reads what is new. A call during a reading makes a second one follow, so that it never answers from before the call. */
  #poke(): Promise<void> {
    if (this.#reading !== undefined) {
      this.#again = true;
      return this.#reading;
    }
    this.#reading = this.#readUntilQuiet().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readUntilQuiet(): Promise<void> {
    do {
      this.#again = false;
      try {
        await this.#read();
        this.#failing = false;
      } catch (err) {
        this.#noteFailure(err);
      }
    } while (this.#again && !this.#failing);
  }

  async #read(): Promise<void> {
    const store = this.#store;
    if (store === undefined) return;
    const head = await store.head();
    if (this.#head?.epoch !== head.epoch || head.seq < this.#head.seq) await this.#begin(store, head);
    else await this.#readOn(store, head.seq);
    this.#tell([{ type: 'alive', seq: this.#head!.seq }]);
    await this.#cut(store);
  }

  /** The first reading, or one of another log (a restored database): what readers know is void, so they have to come again. */
  async #begin(store: ChangeStore, head: LogHead): Promise<void> {
    const changes = await store.since(Math.max(0, head.seq - KEPT_CHANGES), KEPT_CHANGES);
    const isFirst = this.#head === undefined;
    this.#kept = changes.filter((change) => change.seq <= head.seq);
    this.#floor = (this.#kept[0]?.seq ?? head.seq + 1) - 1;
    this.#cutAt = head.seq + CUT_EVERY;
    this.#head = head;
    if (!isFirst) this.#tell([{ type: 'hello', ...head, complete: false }]);
  }

  async #readOn(store: ChangeStore, until: number): Promise<void> {
    while (this.#head!.seq < until) {
      const changes = await store.since(this.#head!.seq, BATCH);
      if (changes.length === 0) throw new Error('the change log ends before its head');
      this.#keep(changes);
      this.#tell(changes);
    }
  }

  #keep(changes: Change[]): void {
    this.#kept.push(...changes);
    this.#head = { ...this.#head!, seq: changes.at(-1)!.seq };
    if (this.#kept.length <= KEPT_CHANGES) return;
    this.#kept = this.#kept.slice(-KEPT_CHANGES);
    this.#floor = this.#kept[0]!.seq - 1;
  }

  async #cut(store: ChangeStore): Promise<void> {
    const { seq } = this.#head!;
    if (seq < this.#cutAt) return;
    this.#cutAt = seq + CUT_EVERY;
    await store.forget(seq - KEPT_CHANGES);
  }

  #tell(lines: readonly ChangeLine[]): void {
    for (const reader of this.#readers) reader.tell(lines);
  }

  #noteFailure(err: unknown): void {
    const level = this.#failing ? 'debug' : err instanceof ProblemError ? 'warn' : 'error';
    this.#failing = true;
    this.#log[level]({ err: safeError(err) }, 'the change log cannot be read; the feed is silent');
  }
}
