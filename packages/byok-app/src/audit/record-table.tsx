import type { AuditEntry } from '@zeq/contracts';
import { useMemo } from 'react';
import { endOf, noOf } from '../activity/words.ts';
import { exact } from '../plot/format.ts';
import { Badge } from '../ui/badge.tsx';
import { type Column, DataTable } from '../ui/data-table.tsx';
import { ClockTime } from '../ui/time.tsx';
import { momentOf, rowId } from './rows.ts';
import { useNames } from './use-names.ts';
import type { RecordVerdict } from './verify-record.ts';
import { actorOf, callerWords, changeWords, type Names } from './words.ts';

const ROW_PX = 45;

interface RecordTableProps {
  apiId: string;
  entries: readonly AuditEntry[];
  verdict: RecordVerdict | undefined;
}

interface Row {
  id: string;
  entry: AuditEntry;
}

/** One row for each entry, as the log goes. */
export function RecordTable({ apiId, entries, verdict }: RecordTableProps) {
  const names = useNames(apiId);
  const rows = useMemo(() => entries.map((entry) => ({ id: rowId(entry), entry })), [entries]);
  const columns = useMemo(() => columnsOf(names, verdict), [names, verdict]);
  return (
    <div className="card">
      <DataTable
        className="record numbers table-dense"
        caption="Calls and changes in the order of the log, the oldest first"
        columns={columns}
        rows={rows}
        rowHeight={ROW_PX}
        rowClass={({ id }) => (verdict?.faults.has(id) ? 'row-bad' : '')}
      />
    </div>
  );
}

const columnsOf = (names: Names | undefined, verdict: RecordVerdict | undefined): Column<Row>[] => [
  {
    label: 'Time',
    width: '128px',
    className: 'record-time',
    cell: ({ entry }) => <ClockTime at={momentOf(entry)} />,
  },
  { label: 'What', className: 'record-what', cell: ({ entry }) => <What entry={entry} names={names} /> },
  {
    label: 'By',
    width: '16%',
    className: 'record-by ellipsis',
    cell: ({ entry }) => (entry.kind === 'call' ? callerWords(entry.call) : actorOf(entry.change, names)),
  },
  { label: 'Ended', width: '142px', className: 'record-end', cell: ({ entry }) => <Ended entry={entry} /> },
  {
    label: 'Leaf',
    width: '84px',
    className: 'end record-leaf muted',
    cell: ({ entry }) => exact(entry.leaf),
  },
  {
    label: 'Checked here',
    width: '136px',
    className: 'record-check',
    cell: ({ id }) => <Checked verdict={verdict} row={id} />,
  },
];

function What({ entry, names }: { entry: AuditEntry; names: Names | undefined }) {
  if (entry.kind === 'call')
    return (
      <p className="mono ellipsis">
        <b>{entry.call.kind === 'websocket' ? 'WS' : entry.call.method}</b> {entry.call.path}
      </p>
    );
  const { title, detail } = changeWords(entry.change, names);
  return (
    <>
      <p>
        <strong>{title}</strong>
      </p>
      {detail && <p className="faint wrap-anywhere">{detail}</p>}
    </>
  );
}

/** A change was made, or it would not be here. */
function Ended({ entry }: { entry: AuditEntry }) {
  if (entry.kind === 'change') return null;
  const { call } = entry;
  const { tone, label } = endOf({ ...call, status: call.status === 0 ? null : call.status });
  return (
    <Badge tone={tone}>
      <span title={noOf({ ...call, said_no: call.code === null ? null : 'mesh' })}>{label}</span>
    </Badge>
  );
}

function Checked({ verdict, row }: { verdict: RecordVerdict | undefined; row: string }) {
  if (verdict?.faults.has(row)) return <Badge tone="bad">NOT verified</Badge>;
  if (verdict?.state === 'verified') return <Badge tone="ok">verified</Badge>;
  if (verdict?.state === 'unvouched') return <Badge tone="warn">in the log</Badge>;
  return <span className="faint">{verdict?.state === 'failed' ? '–' : 'not yet'}</span>;
}
