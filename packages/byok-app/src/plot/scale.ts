import { type Counted, valueTicks } from './ticks.ts';

/** Room around the drawing for what is written there (px). */
export const PAD = { left: 52, right: 12, top: 10, bottom: 24 } as const;
export const HEIGHT = 190;

/** Where values and buckets lie in a plot of a certain width (px). */
export interface Scale {
  width: number;
  /** Of the drawing itself. */
  innerWidth: number;
  /** Width of one bucket. */
  slot: number;
  ticks: readonly number[];
  /** The left edge of a bucket. */
  x: (index: number) => number;
  y: (value: number) => number;
}

export function scaleOf(width: number, buckets: number, greatest: number, counted: Counted): Scale {
  const innerWidth = Math.max(10, width - PAD.left - PAD.right);
  const slot = innerWidth / Math.max(1, buckets);
  const ticks = valueTicks(greatest, counted);
  const top = ticks.at(-1) ?? 1;
  const floor = HEIGHT - PAD.bottom;
  return {
    width,
    innerWidth,
    slot,
    ticks,
    x: (index) => PAD.left + index * slot,
    y: (value) => floor - (value / top) * (floor - PAD.top),
  };
}

/** The bucket at a distance from the left edge of the plot (px); inside of the plot whatever is asked. */
export function indexAt({ slot }: Scale, x: number, buckets: number): number {
  return Math.min(buckets - 1, Math.max(0, Math.floor((x - PAD.left) / slot)));
}
