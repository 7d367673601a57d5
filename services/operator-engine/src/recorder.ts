import type { Computation } from '@zeq/contracts';
import { type Logger, safeError } from '@zeq/service-kit';
import { Counter, type Registry } from 'prom-client';
import type { ComputationStore, KeptComputation } from './store/store.ts';

/** How long computations are kept, and how many of all machines together. */
const KEEP_MS = 30 * 24 * 3_600_000;
const KEEP = 50_000;
const TRIM_EVERY_MS = 10 * 60_000;
const MAX_WAITING = 10_000;
/** Records of this long (ms) go into one write. */
const GATHER_MS = 50;
const RETRY_MS = 1_000;

export interface RecorderDeps {
  store: ComputationStore;
  metrics: Registry;
  log: Logger;
  now: () => number;
}

/**
 * Writes computations behind the answers, in batches. An answer carries its own proof, so it does not wait for its record, and a
 * database that is away stops no computation: records wait for it, and those that find no room are counted as lost.
 */
export class Recorder {
  readonly #deps: RecorderDeps;
  readonly #lost: Counter;
  #waiting: KeptComputation[] = [];
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isAway = false;
  readonly #trim: NodeJS.Timeout;

  constructor(deps: RecorderDeps) {
    this.#deps = deps;
    this.#lost = new Counter({
      name: 'zeq_operator_records_lost_total',
      help: 'Computations that were answered but not recorded',
      registers: [deps.metrics],
    });
    this.#trim = setInterval(() => void this.#dropOld(), TRIM_EVERY_MS).unref();
  }

  add(machineId: string, computation: Computation): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#lost.inc();
      return;
    }
    this.#waiting.push(toKept(machineId, computation));
    if (this.#timer === undefined) this.#flushIn(GATHER_MS);
  }

  /** Writes what waits. It never fails: what could not be written goes on waiting. */
  flush(): Promise<void> {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async stop(): Promise<void> {
    clearInterval(this.#trim);
    clearTimeout(this.#timer);
    await this.flush();
    clearTimeout(this.#timer);
    this.#lost.inc(this.#waiting.length);
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#deps.store.add(batch);
        this.#isAway = false;
      } catch (err) {
        this.#putBack(batch, err);
        return;
      }
    }
  }

  #putBack(batch: readonly KeptComputation[], err: unknown): void {
    const all = [...batch, ...this.#waiting];
    this.#waiting = all.slice(0, MAX_WAITING);
    this.#lost.inc(all.length - this.#waiting.length);
    this.#deps.log[this.#isAway ? 'debug' : 'warn'](
      { err: safeError(err) },
      'computations wait for the database',
    );
    this.#isAway = true;
    this.#flushIn(RETRY_MS);
  }

  #flushIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.flush();
    }, ms).unref();
  }

  async #dropOld(): Promise<void> {
    try {
      await this.#deps.store.trim(new Date(this.#deps.now() - KEEP_MS), KEEP);
    } catch (err) {
      this.#deps.log.warn({ err: safeError(err) }, 'old computations could not be dropped');
    }
  }
}

/** Without its sweeps: they can be long, and the proof of the whole stands for them. */
function toKept(machineId: string, computation: Computation): KeptComputation {
  const { id, operators, value, unit, zeqond, computed_at, proof } = computation;
  const isSweep = Array.isArray(value);
  return {
    id,
    machineId,
    operators,
    value: isSweep ? null : value,
    unit,
    points: isSweep ? value.length : 1,
    zeqond,
    computedAt: new Date(computed_at),
    proof,
  };
}
