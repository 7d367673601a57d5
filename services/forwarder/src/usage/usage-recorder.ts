import type { UsageBatch } from '@zeq/contracts';
import { type Logger, safeError } from '@zeq/service-kit';
import type { CallJournal } from './call-journal.ts';
import type { CallRecord } from './call-record.ts';
import { type CleanCall, FreshCalls } from './fresh-calls.ts';
import { reportBatches, type UsageSink } from './report-batches.ts';
import { MAX_CALLS, type WaitingLimits, WaitingUsage } from './waiting-usage.ts';

/** Reports are sent this often (ms). */
const TICK_MS = 1_000;
const LONGEST_BACKOFF_MS = 15_000;
/** At a stop: how long the last reports may take (ms), and the pause between attempts. */
const STOP_WITHIN_MS = 2_000;
const STOP_PAUSE_MS = 100;

export interface RecorderOptions extends WaitingLimits {
  sink: UsageSink;
  /** Names this process among all that ever reported: 22 to 40 characters. */
  instance: string;
  /** Absent: a killed process takes along what it has not reported. */
  journal?: CallJournal | undefined;
  log: Logger;
  /** Ms since 1970 and monotonic ms; a test passes its own. */
  now?: () => number;
  clock?: () => number;
  tickMs?: number;
}

/**
 * Counts every call when it has ended, journals it, and reports to the vault once a second. What waits at a tick becomes batches, which
 * are sent one after another, each until it is answered, always the same; what ends meanwhile waits for the next tick. So no count is
 * lost and none is made twice, also when this process is killed: another one then finds the journal.
 */
export class UsageRecorder {
  readonly #options: RecorderOptions;
  readonly #now: () => number;
  readonly #clock: () => number;
  readonly #fresh = new FreshCalls();
  readonly #waiting: WaitingUsage;
  /** Those that are being sent; the first may be under way. */
  #batches: UsageBatch[] = [];
  #nextSeq = 1;
  #flushesSoon = false;
  #sending: Promise<void> | undefined;
  #failures = 0;
  /** Monotonic ms. */
  #notBefore = 0;
  #timer: NodeJS.Timeout | undefined;
  #refused = 0;
  #unjournaled = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#clock = options.clock ?? (() => performance.now());
    this.#waiting = new WaitingUsage(options);
  }

  start(): void {
    this.#timer ??= setInterval(() => this.tick(), this.#options.tickMs ?? TICK_MS).unref();
  }

  /** Takes the record of a call that has ended. */
  add(call: CallRecord): void {
    if (call.api === undefined) return;
    call.endedAt = this.#now();
    call.durationMs = this.#clock() - call.startedAt;
    this.#fresh.add(call);
    if (this.#flushesSoon) return;
    this.#flushesSoon = true;
    setImmediate(() => this.#flush()); // all that end in this turn of the loop are journaled in one write
  }

  /** Sends what there is, unless something is under way or the vault is being waited for. */
  tick(): void {
    if (this.#sending !== undefined || this.#clock() < this.#notBefore) return;
    this.#sending = this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  /** Sends everything that is left. Call it when the last call has ended. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const until = this.#clock() + STOP_WITHIN_MS;
    await this.#sending;
    while (this.#hasWork() && this.#clock() < until) {
      await this.#sendAll();
      if (this.#hasWork()) await new Promise((resolve) => setTimeout(resolve, STOP_PAUSE_MS));
    }
    const { log, journal } = this.#options;
    if (!this.#hasWork()) journal?.remove();
    else if (journal === undefined) log.error(this.depth, 'usage could not be reported and is lost');
    else log.warn(this.depth, 'usage could not be reported; the next start goes on with it');
  }

  /** What waits to be sent: sums by API and minute, and single calls. */
  get depth(): { tallies: number; calls: number } {
    const { tallies, calls } = this.#waiting.depth;
    const sum = (count: (batch: UsageBatch) => number) => this.#batches.reduce((n, one) => n + count(one), 0);
    return {
      tallies: tallies + sum(({ minutes }) => minutes.length),
      calls: this.#fresh.size + calls + sum((batch) => batch.calls.length),
    };
  }

  /** Whether one more call can be recorded, when so many are open now that will be. */
  hasRoom(open: number): boolean {
    let calls = this.#fresh.size + this.#waiting.depth.calls + open;
    for (const batch of this.#batches) calls += batch.calls.length;
    return calls < (this.#options.maxCalls ?? MAX_CALLS);
  }

  /** Single calls that were given up because too many waited; their sums were not. */
  get droppedCalls(): number {
    return this.#waiting.droppedCalls;
  }

  /** Batches that the vault would not take. */
  get refusedBatches(): number {
    return this.#refused;
  }

  /** Calls that could not be journaled: only a kill before they are reported would lose them. */
  get unjournaledCalls(): number {
    return this.#unjournaled;
  }

  #hasWork(): boolean {
    const { tallies, calls } = this.depth;
    return tallies + calls > 0;
  }

  #flush(): void {
    this.#flushesSoon = false;
    const calls = this.#fresh.take();
    for (const { call, recorded } of calls) this.#waiting.add(call, recorded);
    this.#journal(calls);
  }

  #journal(calls: readonly CleanCall[]): void {
    try {
      this.#options.journal?.append(calls);
    } catch (err) {
      if (this.#unjournaled === 0)
        this.#options.log.error({ err: safeError(err) }, 'calls cannot be journaled');
      this.#unjournaled += calls.length;
    }
  }

  /** What is left of before, and what waits now; what ends meanwhile is for the next tick, or a busy mesh would report without a pause. */
  async #sendAll(): Promise<void> {
    try {
      await this.#report();
      this.#makeBatches();
      await this.#report();
      this.#failures = 0;
    } catch (err) {
      this.#noteFailure(err);
    }
  }

  #makeBatches(): void {
    this.#flush();
    const { instance, journal } = this.#options;
    this.#batches = this.#waiting.takeBatches(instance, this.#nextSeq);
    this.#nextSeq += this.#batches.length;
    journal?.cut(this.#nextSeq);
  }

  async #report(): Promise<void> {
    if (this.#batches.length === 0) return;
    const { sink, journal, log } = this.#options;
    await reportBatches(sink, this.#batches, ({ seq, calls }) => {
      this.#refused += 1;
      log.error({ seq, calls: calls.length }, 'the vault does not take a usage report');
    });
    journal?.forgetReported();
  }

  /** Doubles from one tick on; half of it is chance, so that many forwarders do not come back at once. */
  #noteFailure(err: unknown): void {
    const { log, tickMs = TICK_MS } = this.#options;
    const longest = Math.min(LONGEST_BACKOFF_MS, tickMs * 2 ** this.#failures);
    this.#notBefore = this.#clock() + longest * (0.5 + Math.random() / 2);
    const level = this.#failures === 0 ? 'warn' : 'debug';
    log[level]({ err: safeError(err) }, 'usage cannot be reported just now; it waits');
    this.#failures += 1;
  }
}
