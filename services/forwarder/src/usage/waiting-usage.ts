import { MAX_BATCH_CALLS, MAX_BATCH_MINUTES, type RecordedCall, type UsageBatch } from '@zeq/contracts';
import type { EndedCall } from './call-record.ts';
import { CallRing } from './call-ring.ts';
import { Tallies } from './tallies.ts';

/** Some 5 KB each; beyond it minutes become hours. */
const MAX_TALLIES = 10_000;
/** Some 600 bytes each. Nobody is let in whose call would not fit. */
export const MAX_CALLS = 50_000;

export interface WaitingLimits {
  maxTallies?: number | undefined;
  maxCalls?: number | undefined;
}

/**
 * What has ended and is to be reported: sums by API and minute, and single calls. The same calls in the same order always make the same
 * batches, so that what was journaled can be reported again by somebody else.
 */
export class WaitingUsage {
  readonly #tallies: Tallies;
  readonly #calls: CallRing;

  constructor({ maxTallies = MAX_TALLIES, maxCalls = MAX_CALLS }: WaitingLimits = {}) {
    this.#tallies = new Tallies(maxTallies);
    this.#calls = new CallRing(maxCalls);
  }

  add(call: EndedCall, recorded: RecordedCall): void {
    this.#tallies.add(recorded.api_id, call);
    this.#calls.push(recorded);
  }

  get depth(): { tallies: number; calls: number } {
    return { tallies: this.#tallies.size, calls: this.#calls.size };
  }

  /** Single calls that were given up because too many waited; their sums were not. */
  get droppedCalls(): number {
    return this.#calls.dropped;
  }

  /** Takes all of it out. The batches are numbered from `firstSeq` on. */
  takeBatches(instance: string, firstSeq: number): UsageBatch[] {
    const batches: UsageBatch[] = [];
    while (this.#tallies.size + this.#calls.size > 0)
      batches.push({
        instance,
        seq: firstSeq + batches.length,
        minutes: this.#tallies.take(MAX_BATCH_MINUTES).map((tally) => tally.toWire()),
        calls: this.#calls.take(MAX_BATCH_CALLS),
      });
    return batches;
  }
}
