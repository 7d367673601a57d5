import type { EndedCall } from './call-record.ts';
import { MinuteTally } from './minute-tally.ts';

const MINUTE_MS = 60_000;
/** Minutes to an hour, a day, a year: what cannot be sent grows coarser instead of larger. */
const FOLDS = [60, 1440, 365 * 1440] as const;

/**
 * Sums by API and minute that wait to be sent. While the vault is away there would be more of them every minute: at `maxTallies`
 * the minutes of an hour become one, and if that is not enough those of a day, and at last one per API. No count is ever lost.
 */
export class Tallies {
  readonly #maxTallies: number;
  /** Of each API, in the order in which they were begun. */
  readonly #byApi = new Map<string, MinuteTally[]>();
  #size = 0;
  #foldAt: number;

  constructor(maxTallies: number) {
    this.#maxTallies = maxTallies;
    this.#foldAt = maxTallies;
  }

  get size(): number {
    return this.#size;
  }

  add(apiId: string, call: EndedCall): void {
    this.#tallyOf(apiId, Math.floor(call.endedAt / MINUTE_MS)).add(call);
  }

  /** Takes up to so many out. */
  take(limit: number): MinuteTally[] {
    const taken: MinuteTally[] = [];
    for (const [apiId, tallies] of this.#byApi) {
      taken.push(...tallies.splice(0, limit - taken.length));
      if (tallies.length > 0) break;
      this.#byApi.delete(apiId);
      if (taken.length === limit) break;
    }
    this.#size -= taken.length;
    return taken;
  }

  #tallyOf(apiId: string, minute: number): MinuteTally {
    let tallies = this.#byApi.get(apiId);
    if (tallies === undefined) {
      tallies = [];
      this.#byApi.set(apiId, tallies);
    }
    const last = tallies.at(-1);
    if (last?.minute === minute) return last;
    return tallies.find((tally) => tally.minute === minute) ?? this.#begin(tallies, apiId, minute);
  }

  #begin(tallies: MinuteTally[], apiId: string, minute: number): MinuteTally {
    if (this.#size >= this.#foldAt) this.#makeRoom();
    const tally = new MinuteTally(apiId, minute);
    tallies.push(tally);
    this.#size += 1;
    return tally;
  }

  #makeRoom(): void {
    for (const minutes of FOLDS) {
      this.#size = 0;
      for (const tallies of this.#byApi.values()) this.#size += fold(tallies, minutes);
      if (this.#size <= this.#maxTallies / 2) break;
    }
    this.#foldAt = Math.max(this.#maxTallies, this.#size * 2);
  }
}

/** Makes one of all that lie in the same stretch of so many minutes. @returns How many are left. */
function fold(tallies: MinuteTally[], minutes: number): number {
  const byStart = new Map<number, MinuteTally>();
  for (const tally of tallies.splice(0)) {
    const start = Math.floor(tally.minute / minutes) * minutes;
    const into = byStart.get(start);
    if (into === undefined) {
      tally.minute = start;
      byStart.set(start, tally);
    } else into.merge(tally);
  }
  tallies.push(...byStart.values());
  return tallies.length;
}
