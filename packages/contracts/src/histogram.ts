/**
 * Log-linear histograms of durations: what one minute, hour, day or replica counted can be added to another's without loss, so that
 * a percentile over a month is as exact as one over a minute. Every power of two is cut into 32 equal parts, so a value is known
 * to 1/64 (1.6 %) at worst; below 0.64 ms to 0.005 ms. The same idea as HdrHistogram's buckets.
 *
 * On the wire and in the database only the parts that were hit are stated: `{index: count}`.
 */
export type Histogram = Readonly<Record<string, number>>;

/** Of a quantile, for durations of 0.64 ms and more; below that the error is 0.005 ms. */
export const HISTOGRAM_RELATIVE_ERROR = 1 / 64;
const TICKS_PER_MS = 100;
/** 2^31 - 1 ticks of 10 µs, some six hours: what lasts longer counts as this long. */
const MAX_TICKS = 2 ** 31 - 1;
const PARTS_LOG2 = 5;
/** One more than the largest index. */
export const HISTOGRAM_PARTS = indexOfTicks(MAX_TICKS) + 1;

/** @param ms Any duration; what is negative or not a number counts as none. */
export const histogramIndex = (ms: number): number =>
  indexOfTicks(ms > 0 ? Math.min(MAX_TICKS, Math.round(ms * TICKS_PER_MS)) : 0);

/**
 * The durations below which a share of the counted ones lie: the middle of the part that holds the one in question.
 *
 * @param shares Each in (0, 1], in rising order: 0.5 is the median.
 * @returns Milliseconds, one per share; undefined when nothing was counted.
 */
export function quantiles(histogram: Histogram, shares: readonly number[]): number[] | undefined {
  const parts = Object.entries(histogram)
    .map(([index, count]) => ({ index: Number(index), count }))
    .sort((a, b) => a.index - b.index);
  const total = parts.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return undefined;
  let at = 0;
  let below = parts[0]!.count;
  return shares.map((share) => {
    const rank = Math.max(1, Math.ceil(share * total));
    while (below < rank) {
      at += 1;
      below += parts[at]!.count;
    }
    return middleOf(parts[at]!.index);
  });
}

/** Small values have a part each; from 64 on, a part is `2^shift` wide. */
function indexOfTicks(ticks: number): number {
  const shift = Math.max(0, 31 - Math.clz32(ticks) - PARTS_LOG2);
  return (shift << PARTS_LOG2) + (ticks >>> shift);
}

function middleOf(index: number): number {
  const shift = Math.max(0, (index >> PARTS_LOG2) - 1);
  const lowest = (index - (shift << PARTS_LOG2)) * 2 ** shift;
  return (lowest + (2 ** shift - 1) / 2) / TICKS_PER_MS;
}
