import type { StatusClasses, UsageBucket } from '@zeq/contracts';
import type { Series } from '../plot/marks.tsx';

/** Every class of status that occurs, in the order in which they are drawn: what is fine lies at the bottom. */
const CLASSES: readonly (readonly [keyof StatusClasses, string, string])[] = [
  ['2xx', '2xx', 'ok'],
  ['3xx', '3xx', 'other'],
  ['1xx', 'WebSocket', 'socket'],
  ['4xx', '4xx', 'warn'],
  ['5xx', '5xx', 'bad'],
  ['none', 'No answer', 'none'],
];

/** Answers by the class of their status; classes that never occur are left out, 2xx never. */
export function statusSeries(buckets: readonly UsageBucket[]): Series[] {
  return CLASSES.map(([name, label, tone]) => ({
    label,
    tone,
    values: buckets.map(({ status }) => status[name]),
  })).filter(({ label, values }) => label === '2xx' || values.some((value) => value > 0));
}

/** Milliseconds; null where no call was sent. */
export const latencySeries = (buckets: readonly UsageBucket[]): Series[] => [
  { label: 'p50', tone: 'first', values: buckets.map((each) => each.latency_ms?.p50 ?? null) },
  { label: 'p95', tone: 'second', values: buckets.map((each) => each.latency_ms?.p95 ?? null) },
  { label: 'p99', tone: 'third', values: buckets.map((each) => each.latency_ms?.p99 ?? null) },
];

export const byteSeries = (buckets: readonly UsageBucket[]): Series[] => [
  { label: 'Received', tone: 'first', values: buckets.map((each) => each.bytes_out) },
  { label: 'Sent', tone: 'second', values: buckets.map((each) => each.bytes_in) },
];

export const tokenSeries = (buckets: readonly UsageBucket[]): Series[] => [
  { label: 'In', tone: 'first', values: buckets.map((each) => each.tokens_in) },
  { label: 'Out', tone: 'second', values: buckets.map((each) => each.tokens_out) },
];
