import type { ActivityEntry } from '@zeq/contracts';
import {
  type Calls,
  firstCalls,
  MOST_CALLS,
  withNewer,
  withOlder,
  withWaiting,
} from '../src/activity/calls.ts';
import { isFiltered, NO_FILTER, queryFor } from '../src/activity/filter.ts';
import { callerOf, endOf, noOf } from '../src/activity/words.ts';
import { madeUpCall } from './kit/made-up.ts';

const NOW = Date.parse('2026-03-04T05:06:07Z');
const call = (number: number): ActivityEntry => madeUpCall(number, 1_000, NOW);
const page = (numbers: number[], next: string | null = null, latest = '9') => ({
  entries: numbers.map(call),
  next,
  latest,
});
const idsOf = ({ entries }: Calls) => entries.map(({ id }) => id);

describe('the calls that are known', () => {
  it('grow at both ends, the newest first', () => {
    const first = firstCalls(page([5, 4], '4', '5'));
    const grown = withOlder(withNewer(first, page([7, 6], null, '7'), false), page([3, 2]));

    expect(idsOf(grown)).toEqual(['7', '6', '5', '4', '3', '2']);
    expect([grown.next, grown.latest]).toEqual([null, '7']);
  });

  it('wait while somebody reads further down', () => {
    const read = withNewer(firstCalls(page([5])), page([6]), true);
    const more = withNewer(read, page([7]), true);

    expect([idsOf(more), more.waiting.map(({ id }) => id)]).toEqual([['5'], ['7', '6']]);
    expect(idsOf(withWaiting(more))).toEqual(['7', '6', '5']);
    expect(withWaiting(more).waiting).toEqual([]);
  });

  it('end where the mesh keeps no more either', () => {
    const many = Array.from({ length: MOST_CALLS }, (_, i) => 20_000 - i);
    const full = withOlder(firstCalls(page(many.slice(0, 100), '1')), page(many.slice(100), '1'));

    expect([full.entries.length, full.next]).toEqual([MOST_CALLS, null]);
  });

  it('are the same object when nothing came', () => {
    const calls = firstCalls(page([5], null, '5'));

    expect(withNewer(calls, page([], null, '5'), false)).toBe(calls);
  });
});

describe('a filter', () => {
  it('asks only for what was filled in', () => {
    expect([queryFor(NO_FILTER), isFiltered(NO_FILTER)]).toEqual([{}, false]);
    expect(queryFor({ status: '4xx', saidNo: 'mesh', caller: 'tok_1', path: ' /v1 ' })).toEqual({
      status: '4xx',
      said_no: 'mesh',
      caller: 'tok_1',
      path: '/v1',
    });
  });
});

describe('a call in words', () => {
  const ok = { ...call(1), status: 200, outcome: 'ok', said_no: null, code: null, kind: 'call' } as const;

  it.each([
    [{}, '200', 'ok', ''],
    [{ status: 404, said_no: 'upstream' }, '404', 'warn', 'the upstream'],
    [
      { status: 502, said_no: 'mesh', outcome: 'refused', code: 'connect_failed' },
      '502',
      'bad',
      'the mesh: connect_failed',
    ],
    [{ status: null, outcome: 'aborted' }, 'no answer', 'plain', 'caller left'],
    [{ outcome: 'broken', said_no: 'upstream' }, '200, broke off', 'bad', 'the upstream'],
    [{ status: 101, kind: 'websocket' }, '101', 'ok', ''],
  ] as const)('%j', (part, label, tone, no) => {
    const entry: ActivityEntry = { ...ok, ...part };

    expect([endOf(entry), noOf(entry)]).toEqual([{ label, tone }, no]);
  });

  it('names a caller that is gone', () => {
    const caller = { kind: 'token', id: 'tok_1' } as const;

    expect(callerOf({ ...ok, caller: { ...caller, name: null, prefix: null } })).toBe('a revoked token');
    expect(callerOf({ ...ok, caller: { ...caller, name: '', prefix: 'zat_1234' } })).toBe('zat_1234…');
  });
});
