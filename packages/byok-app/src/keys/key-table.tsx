import type { KeyScope, MachineKey } from '@zeq/contracts';
import { useState } from 'react';
import { keyApi } from '../api/mesh.ts';
import { changed } from '../api/resource.ts';
import { useMachine } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { type Column, DataTable } from '../ui/data-table.tsx';
import { Confirm } from '../ui/dialog.tsx';
import { Moment } from '../ui/time.tsx';
import { say } from '../ui/toast.tsx';
import { useAction } from '../ui/use-action.ts';

const ROW_PX = 65;

const SCOPES: Record<KeyScope, string> = { owner: 'everything', forward: 'call and read', read: 'read' };

/** The keys of the machine, each with its end. */
export function KeyTable({ keys }: { keys: MachineKey[] }) {
  const [doomed, setDoomed] = useState<MachineKey>();
  return (
    <div className="card">
      <DataTable caption="Machine keys" columns={columns(setDoomed)} rows={keys} rowHeight={ROW_PX} />
      {doomed && (
        <RevokeKey keyOfMachine={doomed} isLast={keys.length === 1} onClose={() => setDoomed(undefined)} />
      )}
    </div>
  );
}

const columns = (onRevoke: (key: MachineKey) => void): Column<MachineKey>[] => [
  { label: 'Name', cell: ({ name }) => <strong className="wrap-anywhere">{name || 'unnamed'}</strong> },
  { label: 'Key', width: '150px', className: 'mono', cell: ({ prefix }) => `${prefix}…` },
  { label: 'Scope', width: '150px', cell: ({ scope }) => SCOPES[scope] },
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
    cell: (key) => (
      <Button
        kind="quiet"
        className="tone-bad"
        aria-label={`Revoke ${nameOf(key)}`}
        onClick={() => onRevoke(key)}
      >
        Revoke
      </Button>
    ),
  },
];

const nameOf = ({ name, prefix }: MachineKey): string => name || prefix;

interface RevokeKeyProps {
  keyOfMachine: MachineKey;
  isLast: boolean;
  onClose: () => void;
}

function RevokeKey({ keyOfMachine: key, isLast, onClose }: RevokeKeyProps) {
  const { slug } = useMachine();
  const revoke = useAction(async () => {
    await keyApi.revoke(slug, key.id);
    onClose();
    changed(`keys/${slug}`);
    say(`${nameOf(key)} is revoked`);
  });
  return (
    <Confirm
      title={`Revoke ${nameOf(key)}?`}
      action="Revoke key"
      isBusy={revoke.isBusy}
      error={revoke.error}
      onConfirm={() => void revoke.run()}
      onClose={onClose}
    >
      <p>
        Everything that uses this key is refused within a second, and sessions opened with it end, this one
        included if you signed in with it.{' '}
        {isLast && (
          <strong>It is the last key: without another one nobody can sign in to {slug} again.</strong>
        )}
      </p>
    </Confirm>
  );
}
