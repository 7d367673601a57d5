import { MAX_BATCH_CALLS, MAX_BATCH_MINUTES, type UsageBatch } from '@zeq/contracts';
import { type Logger, safeError } from '@zeq/service-kit';
import type { CallRecord } from './call-record.ts';
import { CallSpool } from './call-spool.ts';
import { Tallies } from './tallies.ts';

/** Reports are sent this often (ms): what a killed process loses at most. */
const TICK_MS = 1_000;
const LONGEST_BACKOFF_MS = 15_000;
/** At a stop: how long the last reports may take (ms), and the pause between attempts. */
const STOP_WITHIN_MS = 2_000;
const STOP_PAUSE_MS = 100;
/** Some 5 KB each; beyond it minutes become hours. */
const MAX_TALLIES = 10_000;
/** Some 600 bytes each. */
const MAX_CALLS = 20_000;

/** Where reports go. */
export interface UsageSink {
  /**
   * @returns `refused` for one that will never be taken.
   * @throws ProblemError when it is not known whether it was taken: send the same again.
   */
  reportUsage(batch: UsageBatch): Promise<'taken' | 'refused'>;
}

export interface RecorderOptions {
  sink: UsageSink;
  /** Names this process among all that ever reported: 22 to 40 characters. */
  instance: string;
  log: Logger;
  /** Ms since 1970 and monotonic ms; a test passes its own. */
  now?: () => number;
  clock?: () => number;
  tickMs?: number;
  maxTallies?: number;
  maxCalls?: number;
}

/**
 * Counts every call when it has ended, and reports to the vault once a second. One batch is under way at a time and is sent until
 * it is answered, always the same; what ends meanwhile waits for the next one. So no count is lost while this process lives, and
 * none is made twice.
 */
export class UsageRecorder {
  readonly #options: RecorderOptions;
  readonly #now: () => number;
  readonly #clock: () => number;
  readonly #tallies: Tallies;
  readonly #calls: CallSpool;
  #batch: UsageBatch | undefined;
  #seq = 0;
  #sending: Promise<void> | undefined;
  #failures = 0;
  /** Monotonic ms. */
  #notBefore = 0;
  #timer: NodeJS.Timeout | undefined;
  #refused = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#clock = options.clock ?? (() => performance.now());
    this.#tallies = new Tallies(options.maxTallies ?? MAX_TALLIES);
    this.#calls = new CallSpool(options.maxCalls ?? MAX_CALLS);
  }

  start(): void {
    this.#timer ??= setInterval(() => this.tick(), this.#options.tickMs ?? TICK_MS).unref();
  }

  /** Takes the record of a call that has ended. */
  add(call: CallRecord): void {
    const { api } = call;
    if (api === undefined) return;
    call.endedAt = this.#now();
    call.durationMs = this.#clock() - call.startedAt;
    this.#tallies.add(api.lease.api_id, call);
    this.#calls.add(call);
  }

  /** Sends what there is, unless something is under way or the vault is being waited for. */
  tick(): void {
    this.#calls.clean();
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
      this.#calls.clean();
      await this.#sendAll();
      if (this.#hasWork()) await new Promise((resolve) => setTimeout(resolve, STOP_PAUSE_MS));
    }
    if (this.#hasWork()) this.#options.log.error(this.depth, 'usage could not be reported and is lost');
  }

  /** What waits to be sent: sums by API and minute, and single calls. */
  get depth(): { tallies: number; calls: number } {
    return {
      tallies: this.#tallies.size + (this.#batch?.minutes.length ?? 0),
      calls: this.#calls.size + (this.#batch?.calls.length ?? 0),
    };
  }

  /** Single calls that were given up because too many waited; their sums were not. */
  get droppedCalls(): number {
    return this.#calls.dropped;
  }

  /** Batches that the vault would not take. */
  get refusedBatches(): number {
    return this.#refused;
  }

  #hasWork(): boolean {
    const { tallies, calls } = this.depth;
    return tallies + calls > 0;
  }

  /** What waits now; what ends meanwhile is for the next tick, or a busy mesh would report without a pause. */
  async #sendAll(): Promise<void> {
    const tallies = Math.ceil(this.#tallies.size / MAX_BATCH_MINUTES);
    const calls = Math.ceil(this.#calls.size / MAX_BATCH_CALLS);
    try {
      for (let left = Math.max(tallies, calls); this.#batch !== undefined || left > 0; ) {
        if (this.#batch === undefined) {
          this.#batch = this.#nextBatch();
          left -= 1;
        }
        const answer = await this.#options.sink.reportUsage(this.#batch);
        this.#batch = answer === 'taken' ? undefined : this.#whatIsLeft(this.#batch);
        this.#failures = 0;
      }
    } catch (err) {
      this.#noteFailure(err);
    }
  }

  #nextBatch(): UsageBatch {
    this.#seq += 1;
    return {
      instance: this.#options.instance,
      seq: this.#seq,
      minutes: this.#tallies.take(MAX_BATCH_MINUTES).map((tally) => tally.toWire()),
      calls: this.#calls.take(MAX_BATCH_CALLS),
    };
  }

  /** One bad call must not take the sums of all others along: what was refused with calls is tried without them. */
  #whatIsLeft({ seq, minutes, calls, ...rest }: UsageBatch): UsageBatch | undefined {
    this.#refused += 1;
    this.#options.log.error({ seq, calls: calls.length }, 'the vault does not take a usage report');
    return calls.length > 0 && minutes.length > 0 ? { ...rest, seq, minutes, calls: [] } : undefined;
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
