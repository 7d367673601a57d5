import fc from 'fast-check';
import { RateWindow } from '../src/limits/rate-window.ts';

/** Admits one call if the window lets it. */
const take = (window: RateWindow, limit: number, now: number): boolean => {
  if (window.waitMs(limit, now) > 0) return false;
  window.count();
  return true;
};

describe('RateWindow', () => {
  it('admits the limit at once, and again when the minute is over', () => {
    const window = new RateWindow();

    const first = Array.from({ length: 70 }, () => take(window, 60, 1_000)).filter(Boolean);

    expect(first).toHaveLength(60);
    expect(take(window, 60, 60_999)).toBe(false);
    expect(take(window, 60, 61_100)).toBe(true);
  });

  it('never admits more than the limit in any 60 seconds', () => {
    const gaps = fc.array(fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 30_000 })), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(
        gaps,
        fc.integer({ min: 1, max: 10 }),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        (steps, limit, from) => {
          const window = new RateWindow();
          const admitted: number[] = [];
          let now = from;
          for (const step of steps) {
            now += step;
            if (take(window, limit, now)) admitted.push(now);
          }
          for (const [at, moment] of admitted.entries()) {
            const before = admitted[at - limit];
            if (before !== undefined) expect(moment - before).toBeGreaterThanOrEqual(60_000);
          }
        },
      ),
    );
  });

  it('admits a call after exactly the wait that it states', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 100 }),
        fc.integer({ min: 1, max: 5 }),
        (steps, limit) => {
          const window = new RateWindow();
          let now = 0;
          for (const step of steps) {
            now += step;
            take(window, limit, now);
          }
          const wait = window.waitMs(limit, now);
          expect(wait).toBeLessThanOrEqual(60_100);
          expect(window.waitMs(limit, now + wait)).toBe(0);
        },
      ),
    );
  });

  it('forgets what is long gone', () => {
    const window = new RateWindow();
    take(window, 1, 0);

    expect(take(window, 1, 10_000_000)).toBe(true);
    expect(take(window, 1, 10_000_000)).toBe(false);
  });
});
