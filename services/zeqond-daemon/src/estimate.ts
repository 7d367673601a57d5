/** One comparison: what the reference said, and the monotonic clock when it was heard. Milliseconds. */
export interface Sample {
  monotonic: number;
  reference: number;
}

/** reference(monotonic) = monotonic + offset + slope·(monotonic - from). */
export interface Estimate {
  offset: number;
  slope: number;
  from: number;
  /** Median distance of a sample from the line, in milliseconds. */
  jitter: number;
  used: number;
}

const MIN_FOR_SLOPE = 8;
const MIN_SPAN_MS = 10_000;
/** A crystal is within ±100 ppm; what lies beyond this is not drift. */
const MAX_SLOPE = 0.001;

/**
 * Fits a line through samples: the median first, because one late packet must not move it; then least squares over those that lie near
 * the median, for the drift.
 */
export function estimate(samples: readonly Sample[]): Estimate {
  const offsets = samples.map(({ monotonic, reference }) => reference - monotonic);
  const middle = median(offsets);
  const spread = Math.max(2, 3 * median(offsets.map((offset) => Math.abs(offset - middle))));
  const near = samples.filter((_, i) => Math.abs(offsets[i]! - middle) <= spread);
  const from = mean(near.map(({ monotonic }) => monotonic));
  const slope = slopeOf(near, from);
  const flattened = near.map(
    ({ monotonic, reference }) => reference - monotonic - slope * (monotonic - from),
  );
  const offset = median(flattened);
  return {
    offset,
    slope,
    from,
    jitter: median(flattened.map((one) => Math.abs(one - offset))),
    used: near.length,
  };
}

export const referenceAt = ({ offset, slope, from }: Estimate, monotonic: number): number =>
  monotonic + offset + slope * (monotonic - from);

function slopeOf(samples: readonly Sample[], from: number): number {
  const span = samples.length > 0 ? samples.at(-1)!.monotonic - samples[0]!.monotonic : 0;
  if (samples.length < MIN_FOR_SLOPE || span < MIN_SPAN_MS) return 0;
  const height = mean(samples.map(({ monotonic, reference }) => reference - monotonic));
  let up = 0;
  let across = 0;
  for (const { monotonic, reference } of samples) {
    up += (monotonic - from) * (reference - monotonic - height);
    across += (monotonic - from) ** 2;
  }
  return Math.min(MAX_SLOPE, Math.max(-MAX_SLOPE, up / across));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
