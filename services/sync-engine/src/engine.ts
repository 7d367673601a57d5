import {
  type AttestedTick,
  attestTick,
  type Gap,
  type GapReason,
  type Head,
  headOf,
  plainTick,
  type Tick,
  type TickSigner,
  ZEQOND_MS,
  zeqondOf,
  zeqondStartMs,
} from '@zeq/crypto';
import { type Logger, safeError, type TimeSource } from '@zeq/service-kit';
import { ClockWatch, skipsZeqonds } from './clock-watch.ts';
import type { ChainStore, Lease } from './store/chain-store.ts';

/**
 * An engine that has not appended for this long is taken to be gone. Longer than a Zeqond by what a tick may be late; short enough for
 * a follower to make the very next tick.
 */
export const LEASE_MS = 1_000;
/** How long after a border a follower waits for the leader's tick before it asks to lead, and how often it asks again. */
const GRACE_MS = 250;
const RETRY_MS = 100;
const MAX_CATCH_UP = 1_000;

export type Role = 'leader' | 'follower' | 'plain';

export type StoredGap = Gap & { zeqond: number; depth: number };

/** What is sent while the wall clock lies behind the chain. */
export interface HoldNotice {
  type: 'hold';
  reason: 'clock_back';
  zeqond: number;
  behind_ms: number;
  timestamp: number;
}

export interface EngineDeps {
  time: TimeSource;
  log: Logger;
  /** Both absent: ticks attest nothing and are not stored. */
  attesting?: { signer: TickSigner; store: ChainStore };
  /** Names this process among the engines of one chain. */
  holder: string;
  connections: () => number;
  /** 32 bytes that the next tick binds. */
  bound?: () => Uint8Array | undefined;
  send: (message: Tick | HoldNotice, zeqond: number) => void;
  onTick?: (tick: Tick, lateMs: number) => void;
}

/**
 * Makes one tick per Zeqond border, or waits for the leader's. A tick is stored before it is shown, so whoever leads next goes on
 * after everything that anybody saw; and an append carries the lease's token, so one who slept through losing the lease writes nothing.
 */
export class TickEngine {
  readonly #deps: EngineDeps;
  readonly #watch: ClockWatch;
  #lease: Lease | undefined;
  #head: Head | undefined;
  #lastGap: StoredGap | null = null;
  /** Why the next tick is not a plain successor. */
  #pending: GapReason | undefined;
  #followed = false;
  #storeFailing = false;
  /** The last Zeqond that was shown without attestation: it gets no second tick. */
  #plainZeqond = -1;
  #holdSinceMs: number | undefined;
  #lastTickAt: number;
  #work = Promise.resolve();
  #tickQueued = false;
  #stopped = false;
  #cancelWait: (() => void) | undefined;

  constructor(deps: EngineDeps) {
    this.#deps = deps;
    this.#watch = new ClockWatch(deps.time);
    this.#lastTickAt = deps.time.monotonicMs();
  }

  /** Asks to lead at once: a lone engine then makes its first tick at the first border. */
  async start(): Promise<void> {
    const { attesting } = this.#deps;
    if (!attesting) return;
    attesting.store.onAppended((tick) => void this.#enqueue(() => this.#relay(tick)));
    await this.#enqueue(() => this.#askToLead());
  }

  /** Lets go of the lease, so that another engine leads without waiting for its end. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelWait?.();
    await this.#work;
    if (this.#lease) await this.#deps.attesting?.store.release(this.#lease);
    this.#lease = undefined;
  }

  /** A Zeqond has begun. */
  border(): void {
    this.#cancelWait?.();
    const setMs = this.#watch.look();
    if (!this.#deps.attesting) this.#showPlain();
    else if (this.#isBehind()) this.#showHold(setMs);
    else this.#tickOrWait(setMs);
  }

  #tickOrWait(setMs: number): void {
    this.#holdSinceMs = undefined;
    if (skipsZeqonds(setMs)) this.#pending ??= 'clock_forward';
    if (this.#storeFailing) this.#showPlain();
    if (this.#lease) this.#enqueueTick();
    else this.#waitForLeader(this.#storeFailing ? 0 : GRACE_MS);
  }

  get role(): Role {
    if (!this.#deps.attesting) return 'plain';
    return this.#lease ? 'leader' : 'follower';
  }

  get head(): Head | undefined {
    return this.#head;
  }

  get lastGap(): StoredGap | null {
    return this.#lastGap;
  }

  get ppm(): number | null {
    return this.#watch.ppm;
  }

  get storeState(): 'ok' | 'unavailable' | 'none' {
    if (!this.#deps.attesting) return 'none';
    return this.#storeFailing ? 'unavailable' : 'ok';
  }

  /** Since when the wall clock has been behind the chain, and by how much. */
  get hold(): { sinceMs: number; behindMs: number } | null {
    return this.#holdSinceMs === undefined
      ? null
      : { sinceMs: this.#holdSinceMs, behindMs: this.#behindMs() };
  }

  // leading

  #enqueueTick(): void {
    if (this.#tickQueued) return; // the store is slow: the tick that waits will carry the time at which it runs
    this.#tickQueued = true;
    void this.#enqueue(async () => {
      this.#tickQueued = false;
      await this.#tick();
    });
  }

  async #tick(): Promise<void> {
    const { time, attesting, connections, bound: boundNow } = this.#deps;
    if (!attesting || !this.#lease || !this.#head) return;
    const timestampMs = time.wallMs();
    const zeqond = zeqondOf(timestampMs);
    if (zeqond <= this.#head.zeqond || zeqond === this.#plainZeqond) return;
    const gap = this.#gapBefore(zeqond, this.#head);
    const bound = boundNow?.();
    const facts = { timestampMs, connections: connections(), ...(gap && { gap }), ...(bound && { bound }) };
    const tick = attestTick(attesting.signer, this.#head, facts);
    if (!(await attesting.store.append(this.#lease, tick, LEASE_MS))) return this.#stepDown();
    this.#pending = undefined;
    this.#show(tick);
  }

  #gapBefore(zeqond: number, head: Head): Gap | undefined {
    if (head.depth === 0) return undefined;
    const missed = zeqond - head.zeqond - 1;
    const reason = this.#pending ?? (missed > 0 ? 'stall' : undefined);
    return reason && { after: head.zeqond, missed, reason };
  }

  /** Somebody else leads: what we had made was not stored, so nobody has seen it. */
  async #stepDown(): Promise<void> {
    this.#deps.log.warn({ depth: this.#head?.depth }, 'another engine leads the chain now');
    this.#lease = undefined;
    this.#pending = undefined;
    this.#followed = true;
    await this.#catchUp();
  }

  // following

  /** Asks to lead when the leader's tick has not come by then, and goes on asking until it comes. */
  #waitForLeader(delayMs: number): void {
    this.#cancelWait = this.#deps.time.schedule(() => {
      if (this.#stopped || this.#lease || this.#hasTickOfNow()) return;
      void this.#enqueue(async () => {
        if (this.#hasTickOfNow()) return;
        if (!(await this.#askToLead())) return this.#waitForLeader(RETRY_MS);
        await this.#tick();
      });
    }, delayMs);
  }

  #hasTickOfNow = (): boolean =>
    this.#head !== undefined && this.#head.zeqond >= zeqondOf(this.#deps.time.wallMs());

  async #askToLead(): Promise<boolean> {
    const { attesting, holder, log } = this.#deps;
    if (!attesting || this.#stopped) return false;
    const lease = await attesting.store.lead(holder, LEASE_MS);
    this.#head ??= lease?.head ?? (await attesting.store.head());
    if (!lease) return false;
    if (lease.head.depth > this.#head.depth) await this.#catchUp();
    if (this.#head.depth > 0) this.#pending ??= this.#followed ? 'takeover' : 'restart';
    this.#lease = lease;
    this.#storeFailing = false;
    log.info({ lease: lease.token, depth: lease.head.depth }, 'leading the chain');
    return true;
  }

  async #relay(tick: AttestedTick | undefined): Promise<void> {
    if (!this.#head) return;
    if (tick === undefined) return this.#catchUp();
    if (tick.tesc.depth <= this.#head.depth) return;
    this.#lease = undefined; // nobody but the leader appends
    this.#followed = true;
    this.#pending = undefined;
    this.#storeFailing = false;
    if (tick.tesc.depth > this.#head.depth + 1) await this.#catchUp();
    else this.#show(tick);
  }

  /** Shows what is stored and was not shown here yet. */
  async #catchUp(): Promise<void> {
    const { store } = this.#deps.attesting!;
    const ticks = await store.read((this.#head?.depth ?? 0) + 1, MAX_CATCH_UP);
    for (const tick of ticks) this.#show(tick);
  }

  // showing

  #show(tick: AttestedTick): void {
    const { time, send, onTick } = this.#deps;
    this.#head = headOf(tick);
    this.#lastTickAt = time.monotonicMs();
    if (tick.gap) this.#lastGap = { ...tick.gap, zeqond: tick.zeqond, depth: tick.tesc.depth };
    send(tick, tick.zeqond);
    onTick?.(tick, time.wallMs() - zeqondStartMs(tick.zeqond));
  }

  #showPlain(): void {
    const { time, send, connections, onTick } = this.#deps;
    const tick = plainTick({ timestampMs: time.wallMs(), connections: connections() });
    this.#plainZeqond = tick.zeqond;
    send(tick, tick.zeqond);
    onTick?.(tick, time.wallMs() - zeqondStartMs(tick.zeqond));
  }

  /** The chain waits until the clock has come past its head; listeners are told, and so is the log. */
  #showHold(setMs: number): void {
    const { time, send, log } = this.#deps;
    const now = time.wallMs();
    const head = this.#head!;
    if (this.#holdSinceMs === undefined) {
      this.#holdSinceMs = now;
      log.warn(
        { set_ms: Math.round(setMs), behind_ms: this.#behindMs() },
        'the clock is behind the chain: holding',
      );
    }
    this.#pending = 'clock_back';
    const notice: HoldNotice = {
      type: 'hold',
      reason: 'clock_back',
      zeqond: head.zeqond,
      behind_ms: this.#behindMs(),
      timestamp: now / 1000,
    };
    send(notice, head.zeqond);
  }

  /** A leader is behind when its Zeqond is over and the next is not beyond the head; a follower, when besides nobody else ticks. */
  #isBehind(): boolean {
    if (!this.#head || zeqondOf(this.#deps.time.wallMs()) > this.#head.zeqond) return false;
    const silentMs = this.#deps.time.monotonicMs() - this.#lastTickAt;
    return silentMs > (this.#lease ? 0.5 : 1.5) * ZEQOND_MS;
  }

  #behindMs = (): number => zeqondStartMs((this.#head?.zeqond ?? 0) + 1) - this.#deps.time.wallMs();

  // one thing at a time

  /** Runs work in the order it came. A failure is the store's: nothing is attested until it answers again. */
  #enqueue(work: () => Promise<unknown>): Promise<void> {
    this.#work = this.#work.then(work).then(
      () => undefined,
      (err: unknown) => this.#storeFailed(err),
    );
    return this.#work;
  }

  /** Whether the append took place is not known: the next lease says where the chain stands. */
  #storeFailed(err: unknown): void {
    const { log } = this.#deps;
    if (!this.#storeFailing) log.error({ err: safeError(err) }, 'the chain cannot be stored');
    this.#lease = undefined;
    this.#pending = 'store_unavailable';
    if (!this.#storeFailing && !this.#hasTickOfNow()) this.#showPlain();
    this.#storeFailing = true;
  }
}
