import fc from 'fast-check';
import { HISTOGRAM_PARTS, HISTOGRAM_RELATIVE_ERROR, histogramIndex, quantiles } from '../src/index.ts';

const count = (values: readonly number[]): Record<string, number> => {
  const histogram: Record<string, number> = {};
  for (const value of values) {
    const index = histogramIndex(value);
    histogram[index] = (histogram[index] ?? 0) + 1;
  }
  return histogram;
};

/** The same by sorting: what the histogram has to come near to. */
const exact = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.ceil(share * values.length) - 1]!;

const duration = fc.double({ min: 0, max: 20_000_000, noNaN: true });
/** Half a tick for rounding, and the middle of a part. */
const within = (value: number): number => Math.max(0.0051, value * HISTOGRAM_RELATIVE_ERROR + 0.005);

describe('a histogram', () => {
  it('gives percentiles within its stated error', () => {
    fc.assert(
      fc.property(fc.array(duration, { minLength: 1, maxLength: 300 }), (values) => {
        const shares = [0.5, 0.95, 0.99];
        const found = quantiles(count(values), shares)!;
        shares.forEach((share, i) => {
          const value = exact(values, share);
          expect(Math.abs(found[i]! - value)).toBeLessThanOrEqual(within(value));
        });
      }),
    );
  });

  it('of a whole is the sum of those of its parts, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(duration), fc.array(duration), (one, two) => {
        const [a, b] = [count(one), count(two)];
        const sum = { ...a };
        for (const [index, n] of Object.entries(b)) sum[index] = (sum[index] ?? 0) + n;
        expect(sum).toEqual(count([...one, ...two]));
      }),
    );
  });

  it('has parts without gaps, in order', () => {
    fc.assert(
      fc.property(duration, duration, (a, b) => {
        const [low, high] = [histogramIndex(Math.min(a, b)), histogramIndex(Math.max(a, b))];
        expect(low).toBeLessThanOrEqual(high);
        expect(high).toBeLessThan(HISTOGRAM_PARTS);
      }),
    );
    const seen = new Set(Array.from({ length: 100_000 }, (_, i) => histogramIndex(i / 100)));
    expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: seen.size }, (_, i) => i));
  });

  it.each([
    [-1, 0],
    [Number.NaN, 0],
    [0, 0],
    [0.004, 0],
    [0.01, 1],
    [0.31, 31],
    [0.32, 32],
    [0.63, 63],
    [0.64, 64],
    [0.66, 65],
    [Number.POSITIVE_INFINITY, HISTOGRAM_PARTS - 1],
    [1e12, HISTOGRAM_PARTS - 1],
  ])('puts %d ms into part %d', (ms, index) => {
    expect(histogramIndex(ms)).toBe(index);
  });

  it('of nothing has no percentile', () => {
    expect(quantiles({}, [0.5])).toBeUndefined();
  });
});
