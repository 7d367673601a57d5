import type { Usage, UsageBucket } from '@zeq/contracts';
import { useState } from 'react';
import { exact } from '../plot/format.ts';
import { bucketName, utcName } from '../plot/moments.ts';
import { type Column, DataTable } from '../ui/data-table.tsx';
import { Scroll } from '../ui/scroll.tsx';

const ROW_PX = 41;

/** What the plots show, number by number. It is made only when somebody opens it. */
export function NumbersTable({ usage: { buckets, step } }: { usage: Usage }) {
  const [isOpen, setOpen] = useState(false);
  const rows = isOpen ? buckets.toReversed().map((bucket) => ({ ...bucket, id: bucket.at })) : [];
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Numbers as a table</summary>
      {isOpen && (
        <Scroll className="card scroll-x" label="Usage in numbers">
          <DataTable
            className="numbers table-dense"
            caption="Usage, the latest first"
            columns={columns(step)}
            rows={rows}
            rowHeight={ROW_PX}
          />
        </Scroll>
      )}
    </details>
  );
}

type Row = UsageBucket & { id: string };

const columns = (step: Usage['step']): Column<Row>[] => [
  {
    label: 'Time',
    width: '190px',
    cell: ({ at }) => (
      <time dateTime={at} title={utcName(at)}>
        {bucketName(at, step)}
      </time>
    ),
  },
  number('Requests', ({ requests }) => requests),
  number('2xx', ({ status }) => status['2xx']),
  number('4xx', ({ status }) => status['4xx']),
  number('5xx', ({ status }) => status['5xx']),
  number('No answer', ({ status }) => status.none),
  number('p50 ms', ({ latency_ms }) => latency_ms?.p50),
  number('p95 ms', ({ latency_ms }) => latency_ms?.p95),
  number('p99 ms', ({ latency_ms }) => latency_ms?.p99),
  number('Bytes out', ({ bytes_out }) => bytes_out),
  number('Bytes in', ({ bytes_in }) => bytes_in),
  number('Tokens in', ({ tokens_in }) => tokens_in),
  number('Tokens out', ({ tokens_out }) => tokens_out),
];

function number(label: string, value: (row: Row) => number | undefined): Column<Row> {
  const words = (found: number | undefined) =>
    found === undefined ? '–' : Number.isInteger(found) ? exact(found) : found.toFixed(1);
  return { label, width: '96px', className: 'end', cell: (row) => words(value(row)) };
}
