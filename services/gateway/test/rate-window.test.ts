import { RateWindow } from '../src/limits/rate-window.ts';

describe('RateWindow', () => {
  let now: number;
  beforeEach(() => {
    now = 5_000_000;
  });
  const build = (limit: number) => new RateWindow(limit, () => now);

  it('lets the limit through and not one more', () => {
    const window = build(100);

    const passed = Array.from({ length: 2_000 }, () => window.hit('a')).filter(Boolean);

    expect(passed).toHaveLength(100);
    expect([window.left('a'), window.left('b')]).toEqual([0, 100]);
  });

  it('never lets more than the limit through in any 60 s, wherever the minute begins', () => {
    const window = build(20);
    const hits: number[] = [];

    for (let i = 0; i < 40_000; i += 1) {
      now += 13;
      if (window.hit('a')) hits.push(now);
    }

    for (const [i, at] of hits.entries()) {
      const later = hits[i + 20];
      if (later !== undefined) expect(later - at).toBeGreaterThanOrEqual(60_000);
    }
    expect(hits.length).toBeGreaterThan(20 * 7);
  });

  it('says when the next one passes, and keeps its word', () => {
    const window = build(1);
    window.hit('a');
    const seconds = window.secondsToNext('a');

    now += seconds * 1000 - 1_001;
    const before = window.hit('a');
    now += 1_001;

    expect([seconds, before, window.hit('a')]).toEqual([61, false, true]);
  });

  it('does not count what it refused, so that a caller who keeps trying is let in again', () => {
    const window = build(1);
    for (let i = 0; i < 70; i += 1) {
      window.hit('a');
      now += 1_000;
    }

    expect(window.left('a')).toBe(0); // it got in again after a minute
    now += 61_000;
    expect(window.left('a')).toBe(1);
  });

  it('speaks the language of express-rate-limit', () => {
    const window = build(2);

    const hits = [window.increment('a'), window.increment('a'), window.increment('a')].map(
      ({ totalHits }) => totalHits,
    );
    window.decrement('a');

    expect(hits).toEqual([1, 2, 3]);
    expect(window.left('a')).toBe(1);
    window.resetKey('a');
    expect(window.left('a')).toBe(2);
  });

  it('bounds its memory: with more addresses than it holds, the oldest is forgotten', () => {
    const window = build(1);
    window.hit('first');

    for (let i = 0; i < 50_000; i += 1) window.hit(`a${i}`);

    expect(window.left('first')).toBe(1);
    expect(window.left('a49999')).toBe(0);
  });
});
