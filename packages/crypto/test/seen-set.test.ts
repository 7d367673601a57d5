import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { isInWindow, SeenSet } from '../src/index.ts';

const { seen: published } = JSON.parse(
  readFileSync(new URL('../../../docs/vectors/clock.json', import.meta.url), 'utf8'),
);

describe('SeenSet', () => {
  it('answers as the published steps say', () => {
    const seen = new SeenSet();

    for (const { zeqond, value, present, answer } of published)
      expect(seen.admit(zeqond, value, present)).toBe(answer);
  });

  it.each([-3, -2, -1, 0, 1, 2, 3])('judges a value %i Zeqonds away by the window', (offset) => {
    const inside = Math.abs(offset) <= 1;

    expect(isInWindow(1000 + offset, 1000)).toBe(inside);
    expect(new SeenSet().admit(1000 + offset, 'v', 1000)).toBe(inside ? 'fresh' : 'closed');
  });

  it('never admits a value twice, at whatever offset the copy comes and however the clock moves', () => {
    const moment = fc.record({
      zeqond: fc.integer({ min: 0, max: 12 }),
      value: fc.constantFrom('a', 'b'),
      present: fc.integer({ min: 0, max: 12 }),
    });

    fc.assert(
      fc.property(fc.array(moment, { maxLength: 80 }), (moments) => {
        const seen = new SeenSet();
        const fresh = moments
          .filter(({ zeqond, value, present }) => seen.admit(zeqond, value, present) === 'fresh')
          .map(({ zeqond, value }) => `${zeqond} ${value}`);
        expect(new Set(fresh).size).toBe(fresh.length);
      }),
    );
  });

  it('opens nothing again when the clock is set back an hour', () => {
    const seen = new SeenSet();
    seen.admit(100_000, 'v', 100_000);

    expect(seen.admit(100_000 - 4633, 'w', 100_000 - 4633)).toBe('closed');
    expect(seen.admit(100_000, 'v', 100_000 - 4633)).toBe('replayed');
  });

  it('holds three Zeqonds and refuses what would not fit', () => {
    const seen = new SeenSet(2);
    for (let now = 0; now < 1000; now += 1) for (const value of ['a', 'b']) seen.admit(now, value, now);

    expect(seen.size).toBe(4);
    expect(seen.admit(999, 'c', 999)).toBe('full');
  });
});
