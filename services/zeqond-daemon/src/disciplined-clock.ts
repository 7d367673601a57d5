import { ZEQOND_MS } from '@zeq/crypto';
import type { TimeSource } from '@zeq/service-kit';
import { type Estimate, estimate, referenceAt, type Sample } from './estimate.ts';

/** About 50 s of ticks. */
const WINDOW = 64;
/** How fast the clock is moved towards the reference: 5 ms a second. */
const SLEW = 0.005;
/** A sample this far from the line is no jitter. So many in a row that agree mean that the reference itself was set. */
const ODD_MS = ZEQOND_MS;
const ODD_IN_A_ROW = 3;
/** A clock that stands goes on when the reference is this near. */
const ARRIVED_MS = 5;
const ODD_AGREE_MS = 200;

/**
 * A clock that follows a reference it hears now and then. It runs by the monotonic clock at the rate it has learnt, is moved towards the
 * reference slowly, and never goes back: where the reference lies behind by more than a Zeqond it stands still until that has caught up.
 * Only far forward does it step, because nobody is hurt by a time that is skipped.
 */
export class DisciplinedClock {
  readonly #time: TimeSource;
  #samples: Sample[] = [];
  #odd: Sample[] = [];
  #estimate: Estimate | undefined;
  /** From here on the clock runs: at `baseMonotonic` it showed `base` and was `error` behind the reference. */
  #baseMonotonic: number;
  #base: number;
  #error = 0;
  #rate = 1;
  #shown = Number.NEGATIVE_INFINITY;
  #steps = 0;
  #standing = false;

  constructor(time: TimeSource) {
    this.#time = time;
    this.#baseMonotonic = time.monotonicMs();
    this.#base = time.wallMs();
  }

  /** Unix milliseconds, with fractions. Never less than it was before. */
  now(): number {
    const passed = (this.#time.monotonicMs() - this.#baseMonotonic) * this.#rate;
    this.#shown = Math.max(this.#shown, this.#base + passed + this.#correction(passed));
    return this.#shown;
  }

  /** Tells what the reference said, and when that was heard. */
  hear(referenceMs: number, monotonic = this.#time.monotonicMs()): void {
    const sample = { monotonic, reference: referenceMs };
    if (!this.#isOdd(sample)) this.#keep(sample);
    else if (!this.#referenceWasSet(sample)) return;
    this.#estimate = estimate(this.#samples);
    this.#steer(this.#estimate);
  }

  /** Begins to follow another reference: what was heard of the last one says nothing about it. */
  forget(): void {
    this.#samples = [];
    this.#odd = [];
  }

  get figures() {
    const monotonic = this.#time.monotonicMs();
    const now = this.now();
    return {
      error_ms: this.#estimate ? round(referenceAt(this.#estimate, monotonic) - now) : null,
      wall_offset_ms: round(now - this.#time.wallMs()),
      jitter_ms: this.#estimate ? round(this.#estimate.jitter) : null,
      drift_ppm: this.#estimate ? round(this.#estimate.slope * 1e6) : null,
      samples: this.#samples.length,
      steps_forward: this.#steps,
      standing: this.#standing,
    };
  }

  #isOdd(sample: Sample): boolean {
    return this.#samples.length > 0 && this.#estimate !== undefined
      ? Math.abs(sample.reference - referenceAt(this.#estimate, sample.monotonic)) > ODD_MS
      : false;
  }

  #keep(sample: Sample): void {
    this.#odd = [];
    this.#samples = [...this.#samples, sample].slice(-WINDOW);
  }

  /** @returns Whether the odd samples are the reference now. */
  #referenceWasSet(sample: Sample): boolean {
    const offset = sample.reference - sample.monotonic;
    const agree = this.#odd.every((odd) => Math.abs(odd.reference - odd.monotonic - offset) <= ODD_AGREE_MS);
    this.#odd = agree ? [...this.#odd, sample] : [sample];
    if (this.#odd.length < ODD_IN_A_ROW) return false;
    this.#samples = this.#odd;
    this.#odd = [];
    return true;
  }

  #steer(target: Estimate): void {
    const base = this.now();
    this.#baseMonotonic = this.#time.monotonicMs();
    this.#error = referenceAt(target, this.#baseMonotonic) - base;
    this.#base = base;
    this.#rate = 1 + target.slope;
    this.#standing = this.#error < -ODD_MS || (this.#standing && this.#error < -ARRIVED_MS);
    if (this.#error <= ODD_MS) return;
    this.#base += this.#error;
    this.#error = 0;
    this.#steps += 1;
  }

  /** How much of the error has been made good after so many milliseconds: never more than all of it. */
  #correction(passed: number): number {
    if (this.#standing) return Math.max(this.#error, -passed);
    const most = passed * SLEW;
    return Math.min(most, Math.max(-most, this.#error));
  }
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
