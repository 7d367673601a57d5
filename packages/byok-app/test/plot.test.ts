import { bytes, duration, percent, short } from '../src/plot/format.ts';
import { indexAt, PAD, scaleOf } from '../src/plot/scale.ts';
import { timeTicks, valueTicks } from '../src/plot/ticks.ts';

describe('valueTicks', () => {
  it.each([
    [0, 'whole', [0, 1]],
    [1, 'whole', [0, 1]],
    [3, 'whole', [0, 1, 2, 3]],
    [42, 'whole', [0, 20, 40, 60]],
    [100, 'whole', [0, 50, 100]],
    [0.3, 'divisible', [0, 0.1, 0.2, 0.3]],
    [3 * 1024, 'bytes', [0, 1000, 2000, 3000, 4000]],
    [30 * 1024 ** 2, 'bytes', [0, 10, 20, 30].map((each) => each * 1024 ** 2)],
  ] as const)('up to %d %s', (greatest, counted, ticks) => {
    expect(valueTicks(greatest, counted)).toEqual(ticks);
  });

  it('always reaches the greatest value, in few steps', () => {
    for (let greatest = 1; greatest < 1e7; greatest = Math.ceil(greatest * 1.37)) {
      const ticks = valueTicks(greatest, 'whole');

      expect(ticks.at(-1)).toBeGreaterThanOrEqual(greatest);
      expect(ticks.length).toBeLessThanOrEqual(6);
    }
  });
});

describe('timeTicks', () => {
  const at = (text: string) => Date.parse(text);

  it('names whole hours of local time', () => {
    const ticks = timeTicks(at('2026-01-01T10:20:00Z'), at('2026-01-01T16:20:00Z'), 6, 30 * 60_000);

    expect(ticks.map((tick) => new Date(tick).toISOString())).toEqual([
      '2026-01-01T10:30:00.000Z',
      '2026-01-01T11:30:00.000Z',
      '2026-01-01T12:30:00.000Z',
      '2026-01-01T13:30:00.000Z',
      '2026-01-01T14:30:00.000Z',
      '2026-01-01T15:30:00.000Z',
    ]);
  });

  it('never names more than there is room for', () => {
    const from = at('2026-01-01T00:00:00Z');
    for (const days of [1, 7, 30, 90])
      expect(timeTicks(from + 1, from + days * 86_400_000, 5, 0).length).toBeLessThanOrEqual(5);
  });
});

describe('a scale', () => {
  const scale = scaleOf(464, 40, 10, 'whole');

  it('finds the bucket under the pointer, inside of the plot whatever is asked', () => {
    expect(indexAt(scale, PAD.left + scale.slot * 7.5, 40)).toBe(7);
    expect([indexAt(scale, -50, 40), indexAt(scale, 5_000, 40)]).toEqual([0, 39]);
  });

  it('puts zero at the floor and the greatest tick at the top', () => {
    expect([scale.y(0), scale.y(scale.ticks.at(-1) ?? 0)]).toEqual([166, PAD.top]);
  });
});

describe('numbers in words', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [250 * 1024 ** 2, '250 MiB'],
  ])('%d bytes are %s', (value, words) => {
    expect(bytes(value)).toBe(words);
  });

  it.each([
    [0, '0 ms'],
    [0.456, '0.46 ms'],
    [412.4, '412 ms'],
    [1_300, '1.3 s'],
    [90_000, '1.5 min'],
  ])('%d ms are %s', (value, words) => {
    expect(duration(value)).toBe(words);
  });

  it('rounds no failure away', () => {
    expect([percent(0, 0), percent(1, 100_000), percent(3, 200), percent(50, 100)]).toEqual([
      '0 %',
      '< 0.1 %',
      '1.5 %',
      '50 %',
    ]);
    expect([short(9_999), short(12_300)]).toEqual(['9,999', '12.3K']);
  });
});
