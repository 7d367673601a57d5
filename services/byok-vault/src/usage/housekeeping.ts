import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, safeError } from '@zeq/service-kit';
import type { Store } from '../store/store.ts';

/** How long, in days, counts are kept: by the minute, then by the hour, then by the day, and then not at all. And single calls and changes. */
export interface UsageRetention {
  minuteDays: number;
  hourDays: number;
  dayDays: number;
  auditDays: number;
}

export interface HousekeepingDeps {
  store: Store;
  retention: UsageRetention;
  log: Logger;
  now: () => Date;
}

const DAY_MS = 86_400_000;
/** Rows per transaction: some tens of ms of work, so that nobody who adds to one of them waits longer. */
const BATCH = 500;
const EVERY_MS = 60_000;
/** A forwarder that is still unsure of a batch after this long counts it again; none is away from the vault that long. */
const SOURCE_DAYS = 30;

/**
 * Moves old counts from minutes to hours and from hours to days, and removes the oldest. Each step is one transaction that moves
 * rows or does not, so that it may be killed anywhere; of several vaults one does it at a time.
 */
export class UsageHousekeeping {
  readonly #deps: HousekeepingDeps;
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;

  constructor(deps: HousekeepingDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#running ??= this.#work();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  /** Everything that is due now; ends early when another vault is at it. */
  async tidy(): Promise<void> {
    const { store, retention } = this.#deps;
    const since = foldedBefore(retention, this.#deps.now());
    await this.#foldAll('minute', since.minute);
    await this.#foldAll('hour', since.hour);
    await store.usage.forgetDays(since.day);
    await this.#forgetRecords(new Date(this.#deps.now().getTime() - retention.auditDays * DAY_MS));
    await store.usage.forgetSources(new Date(this.#deps.now().getTime() - SOURCE_DAYS * DAY_MS));
  }

  async #foldAll(from: 'minute' | 'hour', before: Date): Promise<void> {
    let moved = BATCH;
    while (moved === BATCH && !this.#stopped.signal.aborted) moved = await this.#fold(from, before);
  }

  async #forgetRecords(before: Date): Promise<void> {
    const { audit } = this.#deps.store;
    let gone = BATCH;
    while (gone >= BATCH && !this.#stopped.signal.aborted) gone = await audit.forget(before, BATCH);
  }

  #fold(from: 'minute' | 'hour', before: Date): Promise<number> {
    return this.#deps.store.atomically(async ({ usage }) =>
      (await usage.tryHousekeeping()) ? usage.fold(from, before, BATCH) : 0,
    );
  }

  async #work(): Promise<void> {
    for (let failures = 0; !this.#stopped.signal.aborted; ) {
      try {
        await this.tidy();
        failures = 0;
      } catch (err) {
        const level = failures === 0 ? 'warn' : 'debug'; // a database that is away is said once
        this.#deps.log[level]({ err: safeError(err) }, 'old usage counts could not be moved; later again');
        failures += 1;
      }
      await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    const { signal } = this.#stopped;
    await sleep(EVERY_MS, undefined, { signal }).catch((err: unknown) => {
      if (!signal.aborted) throw err;
    });
  }
}

/** Until when counts have left each of the tables: whole hours and days, so that none of them is moved in parts. */
export function foldedBefore(
  { minuteDays, hourDays, dayDays }: Omit<UsageRetention, 'auditDays'>,
  now: Date,
): Record<'minute' | 'hour' | 'day', Date> {
  const ago = (days: number, wholeMs: number) =>
    new Date(Math.floor((now.getTime() - days * DAY_MS) / wholeMs) * wholeMs);
  return { minute: ago(minuteDays, DAY_MS / 24), hour: ago(hourDays, DAY_MS), day: ago(dayDays, DAY_MS) };
}
