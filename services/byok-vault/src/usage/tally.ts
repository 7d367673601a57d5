import { quantiles, type UsageFigures } from '@zeq/contracts';
import { COUNTS, type Tally } from '../store/usage-store.ts';

export const emptyTally = (): Tally => ({
  requests: 0,
  sent: 0,
  errors: 0,
  aborted: 0,
  websockets: 0,
  tests: 0,
  bytes_in: 0,
  bytes_out: 0,
  tokens_in: 0,
  tokens_out: 0,
  status: { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0, none: 0 },
  refused: {},
  latency: {},
});

/** Adds `more` to `sum`. */
export function addTally(sum: Tally, more: Tally): void {
  for (const name of COUNTS) sum[name] += more[name];
  addCounts(sum.status, more.status);
  addCounts(sum.refused, more.refused);
  addCounts(sum.latency, more.latency);
}

function addCounts(sum: Record<string, number>, more: Record<string, number>): void {
  for (const [name, count] of Object.entries(more)) sum[name] = (sum[name] ?? 0) + count;
}

/** The figures that people see: the histogram as its percentiles. */
export function viewTally({ latency, ...counted }: Tally): UsageFigures {
  const found = quantiles(latency, [0.5, 0.95, 0.99]);
  const [p50, p95, p99] = (found ?? []).map((ms) => Math.round(ms * 1000) / 1000);
  return { ...counted, latency_ms: found === undefined ? null : { p50: p50!, p95: p95!, p99: p99! } };
}
