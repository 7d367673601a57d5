/** What is counted on an axis: whole things, bytes (in units of 1,024), or anything that can be divided. */
export type Counted = 'whole' | 'bytes' | 'divisible';

/** Round numbers for the axis of a plot, from 0 up to at least the greatest value: 1, 2 or 5 times a power of ten apart. */
export function valueTicks(greatest: number, counted: Counted): number[] {
  if (greatest <= 0) return [0, 1];
  const unit = counted === 'bytes' ? 1024 ** Math.max(0, Math.floor(Math.log2(greatest / 4) / 10)) : 1;
  const rough = greatest / 4 / unit;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((each) => each >= rough) ?? rough;
  const size = (counted === 'divisible' ? step : Math.max(1, step)) * unit;
  const count = Math.ceil(greatest / size - 1e-9);
  return Array.from({ length: count + 1 }, (_, i) => Number((i * size).toPrecision(12)));
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Distances that people count time in. */
const STEPS = [
  5 * MINUTE,
  10 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  5 * DAY,
  7 * DAY,
  14 * DAY,
];

/**
 * Moments to name below a plot: on whole local hours or days, `most` of them at the most.
 *
 * @param offsetMs How far local time is ahead of UTC: midnight is where the clock on the wall shows it.
 */
export function timeTicks(fromMs: number, toMs: number, most: number, offsetMs: number): number[] {
  const step = STEPS.find((each) => (toMs - fromMs) / each <= most) ?? 30 * DAY;
  const first = Math.ceil((fromMs + offsetMs) / step) * step - offsetMs;
  return Array.from(
    { length: Math.max(0, Math.floor((toMs - first) / step) + 1) },
    (_, i) => first + i * step,
  );
}
