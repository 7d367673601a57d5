import { USAGE_STEP_MS } from '@zeq/contracts';
import fc from 'fast-check';
import type { TallyRow } from '../src/store/usage-store.ts';
import { toCsv } from '../src/usage/csv.ts';
import { foldedBefore } from '../src/usage/housekeeping.ts';
import { reportUsage, spanOf } from '../src/usage/report.ts';
import { emptyTally } from '../src/usage/tally.ts';

const NOW = new Date('2026-03-10T12:34:56.789Z');
const API = `api_${'a'.repeat(22)}`;

const rowAt = (ms: number, requests: number, part: number): TallyRow => ({
  ...emptyTally(),
  at: new Date(ms),
  requests,
  latency: { [part]: requests },
  refused: { rate_limited: requests },
});

describe('a report', () => {
  it('puts every count into one bucket, whatever the steps', () => {
    const span = fc.record({
      to: fc.date({ min: new Date('2026-01-01'), max: NOW, noInvalidDate: true }),
      hours: fc.integer({ min: 1, max: 24 }),
      step: fc.constantFrom('minute' as const, 'hour' as const, 'day' as const),
    });
    const rows = fc.array(
      fc.record({
        millionths: fc.nat(999_999),
        n: fc.nat(50),
        part: fc.nat(863),
      }),
    );
    fc.assert(
      fc.property(span, rows, ({ to, hours, step }, places) => {
        const from = new Date(to.getTime() - hours * USAGE_STEP_MS.hour).toISOString();
        const asked = spanOf({ from, to: to.toISOString(), step }, NOW);
        const given = places.map(({ millionths, n, part }) =>
          rowAt(Math.floor(asked.from + (millionths / 1e6) * (asked.to - asked.from)), n, part),
        );

        const report = reportUsage(API, asked, given, 0);

        const requests = places.reduce((sum, { n }) => sum + n, 0);
        expect(report.total.requests).toBe(requests);
        expect(report.buckets.reduce((sum, bucket) => sum + bucket.requests, 0)).toBe(requests);
        expect(report.total.refused.rate_limited ?? 0).toBe(requests);
        expect(Date.parse(report.from)).toBeLessThanOrEqual(Date.parse(from));
        expect(Date.parse(report.to)).toBeGreaterThanOrEqual(to.getTime());
        expect(report.buckets.every(({ at }) => Date.parse(at) % USAGE_STEP_MS[step] === 0)).toBe(true);
      }),
    );
  });

  it('has percentiles of all calls, not of its buckets', () => {
    const asked = spanOf({}, NOW);
    const rows = [rowAt(asked.from, 99, 100), rowAt(asked.to - 60_000, 1, 400)];

    const { total, buckets } = reportUsage(API, asked, rows, 0);

    expect(total.latency_ms).toMatchObject({
      p50: buckets[0]!.latency_ms!.p50,
      p99: buckets[0]!.latency_ms!.p99,
    });
    expect(buckets.at(-1)!.latency_ms!.p50).toBeGreaterThan(total.latency_ms!.p99);
  });
});

describe('foldedBefore', () => {
  it('never cuts an hour or a day in parts', () => {
    expect(foldedBefore({ minuteDays: 2, hourDays: 62, dayDays: 730 }, NOW)).toEqual({
      minute: new Date('2026-03-08T12:00:00Z'),
      hour: new Date('2026-01-07T00:00:00Z'),
      day: new Date('2024-03-10T00:00:00Z'),
    });
  });
});

describe('toCsv', () => {
  it.each(['=1', '+1', '-1', '@x', '|x', '%x', '\t=1', '\r=1', '\n=1', '  =1', '\u00a0=1'])(
    'lets no spreadsheet run %j',
    (text) => {
      const line = toCsv(['a'], [[text]]).slice('a\r\n'.length);

      expect(line.replace(/^"/, '')).toMatch(/^'/);
    },
  );

  it('keeps numbers, quotes what has to be quoted, and leaves out nothing', () => {
    expect(
      toCsv(
        ['a', 'b'],
        [
          [-1.5, null],
          ['x,"y"', 'two\nlines'],
        ],
      ),
    ).toBe('a,b\r\n-1.5,\r\n"x,""y""","two\nlines"\r\n');
  });
});
