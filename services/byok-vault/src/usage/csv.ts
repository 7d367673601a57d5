import type { ActivityEntry, Usage, UsageFigures } from '@zeq/contracts';

type Cell = string | number | null;

/**
 * Lines of CSV (RFC 4180) that a spreadsheet shows and does not run: text that begins like a formula gets an apostrophe in front
 * (OWASP, "CSV Injection"). Numbers are ours and stay numbers.
 */
export const toCsv = (names: readonly string[], rows: readonly (readonly Cell[])[]): string =>
  [names, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');

/** One line per call, newest first. */
export function activityCsv(entries: readonly ActivityEntry[]): string {
  const names = ACTIVITY_COLUMNS.map(([name]) => name);
  return toCsv(
    names,
    entries.map((entry) => ACTIVITY_COLUMNS.map(([, read]) => read(entry))),
  );
}

/** One line per step, oldest first. */
export function usageCsv({ buckets }: Usage): string {
  const names = ['at', ...USAGE_COLUMNS.map(([name]) => name)];
  return toCsv(
    names,
    buckets.map((bucket) => [bucket.at, ...USAGE_COLUMNS.map(([, read]) => read(bucket))]),
  );
}

const FORMULA = /^[\s]*[=+\-@|%]|^[\t\r\n]/;

function cell(value: Cell): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const ACTIVITY_COLUMNS: readonly (readonly [string, (entry: ActivityEntry) => Cell])[] = [
  ['at', ({ at }) => at],
  ['kind', ({ kind }) => kind],
  ['caller_kind', ({ caller }) => caller.kind],
  ['caller_id', ({ caller }) => caller.id],
  ['caller_name', ({ caller }) => caller.name],
  ['caller_prefix', ({ caller }) => caller.prefix],
  ['method', ({ method }) => method],
  ['path', ({ path }) => path],
  ['status', ({ status }) => status],
  ['outcome', ({ outcome }) => outcome],
  ['said_no', ({ said_no }) => said_no],
  ['code', ({ code }) => code],
  ['duration_ms', ({ duration_ms }) => duration_ms],
  ['bytes_in', ({ bytes_in }) => bytes_in],
  ['bytes_out', ({ bytes_out }) => bytes_out],
  ['tokens_in', ({ tokens_in }) => tokens_in],
  ['tokens_out', ({ tokens_out }) => tokens_out],
  ['request_id', ({ request_id }) => request_id],
];

const USAGE_COLUMNS: readonly (readonly [string, (figures: UsageFigures) => Cell])[] = [
  ['requests', ({ requests }) => requests],
  ['sent', ({ sent }) => sent],
  ['status_1xx', ({ status }) => status['1xx']],
  ['status_2xx', ({ status }) => status['2xx']],
  ['status_3xx', ({ status }) => status['3xx']],
  ['status_4xx', ({ status }) => status['4xx']],
  ['status_5xx', ({ status }) => status['5xx']],
  ['status_none', ({ status }) => status.none],
  ['errors', ({ errors }) => errors],
  ['aborted', ({ aborted }) => aborted],
  ['refused', ({ refused }) => Object.values(refused).reduce((sum, count) => sum + count, 0)],
  ['websockets', ({ websockets }) => websockets],
  ['tests', ({ tests }) => tests],
  ['bytes_in', ({ bytes_in }) => bytes_in],
  ['bytes_out', ({ bytes_out }) => bytes_out],
  ['latency_p50_ms', ({ latency_ms }) => latency_ms?.p50 ?? null],
  ['latency_p95_ms', ({ latency_ms }) => latency_ms?.p95 ?? null],
  ['latency_p99_ms', ({ latency_ms }) => latency_ms?.p99 ?? null],
  ['tokens_in', ({ tokens_in }) => tokens_in],
  ['tokens_out', ({ tokens_out }) => tokens_out],
];
