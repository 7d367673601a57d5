import { queryOf, RANGES, rangeOf } from '../src/usage/ranges.ts';
import { latencySeries, statusSeries } from '../src/usage/series.ts';
import { madeUpUsage } from './kit/made-up.ts';

const FROM = new Date('2026-03-04T00:00:00Z');
const { buckets } = madeUpUsage('api_x', FROM, new Date('2026-03-04T06:00:00Z'), 'hour');

describe('ranges', () => {
  it('reach from one hour to thirty days, in steps that the mesh allows', () => {
    expect(RANGES.map(({ ms }) => ms / 3_600_000)).toEqual([1, 6, 24, 168, 720]);
    expect(rangeOf('nonsense').id).toBe('1h');
  });

  it('end now', () => {
    expect(queryOf(rangeOf('24h'), FROM.getTime())).toEqual({
      from: '2026-03-03T00:00:00.000Z',
      to: '2026-03-04T00:00:00.000Z',
      step: 'hour',
    });
  });
});

describe('series', () => {
  it('leave out classes of status that never occur, but never success', () => {
    const quiet = buckets.map((each) => ({ ...each, status: { ...each.status, '4xx': 0, '5xx': 0 } }));

    expect(statusSeries(quiet).map(({ label }) => label)).toEqual(['2xx']);
  });

  it('are interrupted where no call was sent', () => {
    const [first, ...rest] = buckets;
    const [p50] = latencySeries([{ ...first!, latency_ms: null }, ...rest]);

    expect(p50?.values[0]).toBeNull();
    expect(p50?.values).toHaveLength(buckets.length);
  });
});
