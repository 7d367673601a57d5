import { type ReactNode, useState } from 'react';
import { Button } from './button.tsx';
import { type Column, DataTable } from './data-table.tsx';
import { Confirm } from './dialog.tsx';
import { Moment } from './time.tsx';
import { say } from './toast.tsx';
import { useAction } from './use-action.ts';

const ROW_PX = 65;

/** What was shown once and works until its end: an app's token, a key of the machine. */
interface Revocable {
  id: string;
  name: string;
  prefix: string;
  created_at: string;
  expires_at: string | null;
}

interface RevocableTableProps<T extends Revocable> {
  caption: string;
  rows: readonly T[];
  kind: 'Token' | 'Key';
  /** Who has the name: the label of the first column. */
  named: string;
  /** What it may do. */
  scope: Column<T>;
  /** What a revocation does, before it is done. */
  warning: ReactNode;
  revoke: (row: T) => Promise<void>;
}

/** Tokens or keys, each with its end, which may be made to be now. */
export function RevocableTable<T extends Revocable>(props: RevocableTableProps<T>) {
  const [doomed, setDoomed] = useState<T>();
  return (
    <div className="card">
      <DataTable
        caption={props.caption}
        columns={columnsOf(props, setDoomed)}
        rows={props.rows}
        rowHeight={ROW_PX}
      />
      {doomed && <Revoke {...props} row={doomed} onClose={() => setDoomed(undefined)} />}
    </div>
  );
}

const columnsOf = <T extends Revocable>(
  { kind, named, scope }: RevocableTableProps<T>,
  onRevoke: (row: T) => void,
): Column<T>[] => [
  { label: named, cell: ({ name }) => <strong className="wrap-anywhere">{name || 'unnamed'}</strong> },
  { label: kind, width: '150px', className: 'mono', cell: ({ prefix }) => `${prefix}…` },
  scope,
  { label: 'Made', width: '135px', cell: ({ created_at }) => <Moment at={created_at} /> },
  {
    label: 'Ends',
    width: '125px',
    cell: ({ expires_at }) => (expires_at === null ? 'never' : <Moment at={expires_at} />),
  },
  {
    label: 'Actions',
    isLabelHidden: true,
    width: '122px',
    className: 'end',
    cell: (row) => (
      <Button
        kind="quiet"
        className="tone-bad"
        aria-label={`Revoke ${nameOf(row)}`}
        onClick={() => onRevoke(row)}
      >
        Revoke
      </Button>
    ),
  },
];

const nameOf = ({ name, prefix }: Revocable): string => name || prefix;

interface RevokeProps<T extends Revocable> extends RevocableTableProps<T> {
  row: T;
  onClose: () => void;
}

function Revoke<T extends Revocable>({ row, kind, warning, revoke, onClose }: RevokeProps<T>) {
  const revoking = useAction(async () => {
    await revoke(row);
    onClose();
    say(`${nameOf(row)} is revoked`);
  });
  return (
    <Confirm
      title={`Revoke ${nameOf(row)}?`}
      action={`Revoke ${kind.toLowerCase()}`}
      isBusy={revoking.isBusy}
      error={revoking.error}
      onConfirm={() => void revoking.run()}
      onClose={onClose}
    >
      <p>{warning}</p>
    </Confirm>
  );
}
