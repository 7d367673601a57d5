import type { ActivityEntry } from '@zeq/contracts';
import { useMemo, useState } from 'react';
import { duration } from '../plot/format.ts';
import { Badge } from '../ui/badge.tsx';
import { type Column, DataTable } from '../ui/data-table.tsx';
import { ClockTime } from '../ui/time.tsx';
import { CallDialog } from './call-dialog.tsx';
import { callerOf, endOf, noOf } from './words.ts';

const ROW_PX = 45;

/** One row for each call; its name opens all that is known of it. */
export function CallTable({ entries, apiId }: { entries: readonly ActivityEntry[]; apiId: string }) {
  const [opened, setOpened] = useState<ActivityEntry>();
  const columns = useMemo(() => columnsOf(setOpened), []);
  return (
    <div className="card">
      <DataTable
        className="activity numbers table-dense"
        caption="Calls, the latest first"
        columns={columns}
        rows={entries}
        rowHeight={ROW_PX}
      />
      {opened && <CallDialog entry={opened} apiId={apiId} onClose={() => setOpened(undefined)} />}
    </div>
  );
}

const columnsOf = (onOpen: (entry: ActivityEntry) => void): Column<ActivityEntry>[] => [
  { label: 'Time', width: '128px', className: 'activity-time', cell: ({ at }) => <ClockTime at={at} /> },
  { label: 'Caller', width: '17%', className: 'ellipsis activity-caller', cell: callerOf },
  {
    label: 'Call',
    className: 'activity-call',
    cell: (entry) => (
      <button type="button" className="link mono ellipsis" onClick={() => onOpen(entry)}>
        <b>{entry.kind === 'websocket' ? 'WS' : entry.method}</b> {entry.path}
      </button>
    ),
  },
  {
    label: 'Status',
    width: '136px',
    className: 'activity-status',
    cell: (entry) => <Badge tone={endOf(entry).tone}>{endOf(entry).label}</Badge>,
  },
  {
    label: 'Took',
    width: '92px',
    className: 'end activity-took',
    cell: ({ duration_ms }) => duration(duration_ms),
  },
  { label: 'Who said no', width: '21%', className: 'ellipsis activity-no muted', cell: noOf },
];
