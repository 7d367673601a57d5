import fc from 'fast-check';
import {
  ko42Of,
  modulationOf,
  phaseOf,
  phaseRadians,
  ZEQOND_MS,
  zeqondOf,
  zeqondStartMs,
} from '../src/index.ts';

/** Whole milliseconds from 1970 to the year 5138. */
const unixMs = () => fc.integer({ min: 0, max: 100_000_000_000_000 });

describe('the clock', () => {
  it.each([
    [0, 0, 0],
    [776, 0, 776 / 777],
    [777, 1, 0],
    [1_740_499_200_123, 2_240_024_710, 453 / 777],
    [-1, -1, 776 / 777],
  ])('at %d ms is in Zeqond %d at phase %d', (ms, zeqond, phase) => {
    expect([zeqondOf(ms), phaseOf(ms)]).toEqual([zeqond, phase]);
  });

  it('begins each Zeqond where the one before ended', () => {
    fc.assert(
      fc.property(unixMs(), (ms) => {
        const start = zeqondStartMs(zeqondOf(ms));
        expect(start <= ms && ms < start + ZEQOND_MS).toBe(true);
        expect([zeqondOf(start), zeqondOf(start - 1)]).toEqual([zeqondOf(ms), zeqondOf(ms) - 1]);
      }),
    );
  });

  it('keeps phase in [0, 1), KO42 within 0.1 % and R(t) around 1', () => {
    fc.assert(
      fc.property(unixMs(), (ms) => {
        expect(phaseOf(ms) >= 0 && phaseOf(ms) < 1).toBe(true);
        expect(phaseRadians(ms)).toBe(2 * Math.PI * phaseOf(ms));
        expect(Math.abs(ko42Of(ms))).toBeLessThanOrEqual(0.001);
        expect(modulationOf(ms)).toBe(1 + ko42Of(ms));
      }),
    );
  });

  it('drops parts of a millisecond, so that a border is at the same place on every clock', () => {
    expect([zeqondOf(776.999), phaseOf(776.999)]).toEqual([zeqondOf(776), phaseOf(776)]);
  });

  it.each([NaN, Infinity])('refuses %d as a time', (time) => {
    expect(() => zeqondOf(time)).toThrow(RangeError);
  });
});
