import { ChainPage } from '@zeq/contracts';
import { type AttestedTick, type Tick, type TickFault, TickVerifier } from '@zeq/crypto';
import { type Logger, safeError } from '@zeq/service-kit';
import type { Witness } from './witness.ts';

/** An engine, as far as its stored chain is concerned. */
export interface ChainSource {
  url: string;
  /** `GET /sync/chain`. @throws Error when it cannot be had. */
  page: (from: number, to: number) => Promise<ChainPage>;
}

export interface ChainWatchOptions {
  witness: Witness;
  log: Logger;
  publicKey?: string | undefined;
  /** A tick that verified and is of this moment. */
  onTick: (tick: AttestedTick, arrivedAt: number) => void;
  now: () => Date;
}

const OLDER_HEADS = 8;
/** Beyond this many ticks the daemon was away for a day: what lies between is checked all the same, page by page. */
const PAGE = 1_000;

const DETAILS: Record<TickFault | 'cut' | 'rewritten', string> = {
  shape: 'a tick is malformed',
  unattested: 'a tick carries no attestation',
  fields: 'the time fields of a tick contradict each other',
  signature: 'the signature of a tick does not verify',
  plat: 'the PLAT of a tick does not verify',
  foreign: 'a tick was signed with another key or for another uid',
  repeated: 'a tick came twice',
  fork: 'two signed ticks claim one place in the chain',
  missing: 'ticks are missing',
  order: 'a tick does not lie after the one before',
  link: 'a tick does not follow from the one before',
  gap: 'a gap is not stated, or stated wrongly',
  cut: 'the chain ends before a head that was seen',
  rewritten: 'the chain does not hold a head that was seen',
};

/** Verifies every tick of every engine against what has been seen before, from this run or an earlier one. */
export class ChainWatch {
  readonly #options: ChainWatchOptions;
  readonly #verifier: TickVerifier;
  #work: Promise<void> = Promise.resolve();

  constructor(options: ChainWatchOptions) {
    this.#options = options;
    const { witness, publicKey } = options;
    this.#verifier = new TickVerifier({
      ...(publicKey !== undefined && { publicKey }),
      ...(witness.head && { head: witness.head }),
    });
  }

  get head(): AttestedTick | undefined {
    return this.#verifier.head;
  }

  /** An engine can be reached (again): does its chain still hold the heads that were seen? */
  greet(source: ChainSource): Promise<void> {
    return this.#enqueue(source, async () => {
      for (const head of this.#options.witness.sample(OLDER_HEADS)) {
        const page = await source.page(head.tesc.depth, head.tesc.depth);
        const stored = page.ticks[0];
        if (page.public_key !== head.tesc.public_key || page.uid !== head.tesc.uid)
          this.#fault('foreign', source, page.head, head);
        else if (page.head.depth < head.tesc.depth) this.#fault('cut', source, page.head, head);
        else if (stored?.tesc?.sig !== head.tesc.sig && page.first_depth <= head.tesc.depth)
          this.#fault('rewritten', source, stored, head);
      }
    });
  }

  /** A tick has come from an engine. @param arrivedAt Monotonic milliseconds: its turn may come later. */
  receive(tick: Tick, source: ChainSource, arrivedAt: number): Promise<void> {
    return this.#enqueue(source, () => this.#receive(tick, source, arrivedAt));
  }

  async #receive(tick: Tick, source: ChainSource, arrivedAt: number): Promise<void> {
    const before = this.#verifier.head;
    let fault = this.#verifier.accept(tick);
    if (fault === 'missing') {
      await this.#fetchBetween(before!, tick as AttestedTick, source);
      fault = this.#verifier.accept(tick);
    }
    if (fault === 'repeated' || fault === 'missing') return; // relayed by another engine; or told already
    if (fault !== undefined) return this.#fault(fault, source, tick, before ?? null);
    this.#options.witness.note(tick as AttestedTick);
    this.#options.onTick(tick as AttestedTick, arrivedAt);
  }

  /** Ticks that were stored while nobody listened here: they are checked like all others. */
  async #fetchBetween(head: AttestedTick, tick: AttestedTick, source: ChainSource): Promise<void> {
    for (let from = head.tesc.depth + 1; from < tick.tesc.depth; ) {
      const { ticks } = await source.page(from, Math.min(tick.tesc.depth - 1, from + PAGE - 1));
      if (ticks.length === 0) throw new Error(`the engine does not show ticks from depth ${from} on`);
      for (const stored of ticks) {
        const fault = this.#verifier.accept(stored);
        if (fault !== undefined && fault !== 'repeated')
          return this.#fault(fault, source, stored, this.#verifier.head ?? null);
      }
      from += ticks.length;
    }
  }

  #fault(
    fault: keyof typeof DETAILS,
    source: ChainSource,
    seen: unknown,
    witnessed: AttestedTick | null,
  ): void {
    const at = this.#options.now().toISOString();
    this.#options.witness.fault({
      fault,
      detail: DETAILS[fault],
      engine: source.url,
      at,
      evidence: { seen, witnessed },
    });
  }

  /** One thing at a time. An engine that cannot be asked is asked again with its next tick. */
  #enqueue(source: ChainSource, work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work).catch((err: unknown) => {
      this.#options.log.warn({ err: safeError(err), engine: source.url }, 'the stored chain cannot be read');
    });
    return this.#work;
  }
}

/** Asks an engine for a part of its chain. */
export const chainSource = (url: string): ChainSource => ({
  url,
  async page(from, to) {
    const limit = Math.min(PAGE, to - from + 1);
    const answer = await fetch(`${url}/sync/chain?from=${from}&to=${to}&limit=${limit}`, {
      signal: AbortSignal.timeout(10_000),
    });
    if (!answer.ok) throw new Error(`/sync/chain answered ${answer.status}`);
    return ChainPage.parse(await answer.json());
  },
});
