import {
  checkTick,
  factsOf,
  ko42Of,
  modulationOf,
  phaseOf,
  phaseRadians,
  plainTick,
  type Tick,
  ZEQOND_MS,
  zeqondOf,
} from '@zeq/crypto';
import { BorderTimer, Hub, type Logger, type TimeSource, toFrames } from '@zeq/service-kit';
import { type ChainSource, ChainWatch, chainSource } from './chain-watch.ts';
import { DisciplinedClock } from './disciplined-clock.ts';
import { EngineStream } from './engine-stream.ts';
import type { Witness } from './witness.ts';

/** Without a verified tick for this long the clock runs on what it has learnt. */
const HOLDOVER_AFTER_MS = 4 * ZEQOND_MS;

export interface DaemonOptions {
  engines: readonly string[];
  witness: Witness;
  time: TimeSource;
  log: Logger;
  publicKey?: string | undefined;
}

/**
 * `local`: no engine was ever heard, the machine's clock is shown. `synchronized`: ticks come. `holdover`: they came, and the clock runs
 * on by itself.
 */
export type ClockState = 'local' | 'synchronized' | 'holdover';

/** A local copy of the clock: follows engines, believes only what verifies, and ticks on when they are away. */
export class Daemon {
  readonly hub = new Hub();
  readonly #options: DaemonOptions;
  readonly #clock: DisciplinedClock;
  readonly #watch: ChainWatch;
  readonly #streams: EngineStream[];
  readonly #holding = new Map<string, boolean>();
  readonly #timer: BorderTimer;
  #heardAt: number | undefined;
  #attested = false;
  #pulses = 0;

  constructor(options: DaemonOptions) {
    this.#options = options;
    const { time, witness, log, publicKey } = options;
    this.#clock = new DisciplinedClock(time);
    this.#attested = witness.head !== undefined || publicKey !== undefined;
    this.#watch = new ChainWatch({
      witness,
      log,
      publicKey,
      now: () => new Date(time.wallMs()),
      onTick: (tick, arrivedAt) => {
        this.#attested = true;
        this.#hear(tick, arrivedAt);
      },
    });
    this.#streams = options.engines.map((url) => this.#follow(url));
    const own: TimeSource = {
      wallMs: () => this.#clock.now(),
      monotonicMs: time.monotonicMs,
      schedule: time.schedule,
    };
    this.#timer = new BorderTimer(own, ZEQOND_MS, () => this.#pulse());
  }

  start(): void {
    for (const stream of this.#streams) stream.start();
    this.#timer.start();
  }

  async stop(): Promise<void> {
    this.#timer.stop();
    await Promise.all(this.#streams.map((stream) => stream.stop()));
    await this.#options.witness.close();
  }

  get state(): ClockState {
    if (this.#heardAt === undefined) return 'local';
    return this.#options.time.monotonicMs() - this.#heardAt > HOLDOVER_AFTER_MS ? 'holdover' : 'synchronized';
  }

  get pulses(): number {
    return this.#pulses;
  }

  get attested(): boolean {
    return this.#attested;
  }

  /** The time, in all its forms. */
  now() {
    const ms = this.#clock.now();
    return {
      zeqond: zeqondOf(ms),
      phase: phaseOf(ms),
      phaseRadians: phaseRadians(ms),
      timestamp: Math.floor(ms) / 1000,
      ko42: ko42Of(ms),
      r_t: modulationOf(ms),
      state: this.state,
      synchronized: this.state === 'synchronized',
    };
  }

  status() {
    const { head } = this.#watch;
    const { witness } = this.#options;
    return {
      ...this.now(),
      pulse_count: this.#pulses,
      clock: this.#clock.figures,
      chain: head
        ? {
            uid: head.tesc.uid,
            public_key: head.tesc.public_key,
            depth: head.tesc.depth,
            zeqond: head.zeqond,
            chain: head.tesc.chain,
          }
        : null,
      attested: this.#attested,
      engines: this.#streams.map((stream, index) => {
        const url = this.#options.engines[index]!;
        const last = stream.lastAt === null ? null : new Date(stream.lastAt).toISOString();
        return {
          url,
          connected: stream.connected,
          holding: this.#holding.get(url) ?? false,
          last_message: last,
        };
      }),
      witness: { depth: witness.head?.tesc.depth ?? null, heads_kept: witness.keptCount },
      faults: witness.faults,
    };
  }

  #follow(url: string): EngineStream {
    const source = chainSource(url);
    return new EngineStream({
      url,
      log: this.#options.log,
      onOpen: () => void this.#watch.greet(source),
      onMessage: (message) => this.#message(message, source),
    });
  }

  #message(message: unknown, source: ChainSource): void {
    const arrivedAt = this.#options.time.monotonicMs();
    const type =
      typeof message === 'object' && message !== null ? (message as { type?: unknown }).type : undefined;
    this.#holding.set(source.url, type === 'hold');
    if (type !== 'tick') return;
    const isPlain = checkTick(message) === 'unattested';
    if (!isPlain) void this.#watch.receive(message as Tick, source, arrivedAt);
    else if (!this.#attested) this.#hear(message as Tick, arrivedAt);
  }

  /** Once ticks were attested, one that is not never comes here: it may be an engine without its store, or somebody in between. */
  #hear(tick: Tick, arrivedAt: number): void {
    if (this.#heardAt === undefined) this.#clock.forget();
    this.#heardAt = arrivedAt;
    this.#clock.hear(factsOf(tick).timestampMs, arrivedAt);
  }

  #pulse(): void {
    this.#pulses += 1;
    if (this.#heardAt === undefined) this.#clock.hear(this.#options.time.wallMs());
    const tick = plainTick({ timestampMs: Math.floor(this.#clock.now()), connections: this.hub.size });
    void this.hub.broadcast(toFrames({ ...tick, source: 'zeqond-daemon', state: this.state }, tick.zeqond));
  }
}
