import type { AppToken } from '@zeq/contracts';
import { useState } from 'react';
import { tokenApi } from '../api/mesh.ts';
import { changed } from '../api/resource.ts';
import { useMachine } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { type Column, DataTable } from '../ui/data-table.tsx';
import { Confirm } from '../ui/dialog.tsx';
import { Moment } from '../ui/time.tsx';
import { say } from '../ui/toast.tsx';
import { useAction } from '../ui/use-action.ts';

const ROW_PX = 65;

/** The tokens of an API, each with its end. */
export function TokenTable({ tokens, apiRef }: { tokens: AppToken[]; apiRef: string }) {
  const [doomed, setDoomed] = useState<AppToken>();
  return (
    <div className="card">
      <DataTable caption="Tokens" columns={columns(setDoomed)} rows={tokens} rowHeight={ROW_PX} />
      {doomed && <RevokeToken token={doomed} apiRef={apiRef} onClose={() => setDoomed(undefined)} />}
    </div>
  );
}

const columns = (onRevoke: (token: AppToken) => void): Column<AppToken>[] => [
  { label: 'App', cell: ({ name }) => <strong className="wrap-anywhere">{name || 'unnamed'}</strong> },
  { label: 'Token', width: '150px', className: 'mono', cell: ({ prefix }) => `${prefix}…` },
  { label: 'May', cell: scopeWords },
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
    cell: (token) => (
      <Button
        kind="quiet"
        className="tone-bad"
        aria-label={`Revoke ${nameOf(token)}`}
        onClick={() => onRevoke(token)}
      >
        Revoke
      </Button>
    ),
  },
];

const nameOf = ({ name, prefix }: AppToken): string => name || prefix;

function RevokeToken({ token, apiRef, onClose }: { token: AppToken; apiRef: string; onClose: () => void }) {
  const { slug } = useMachine();
  const revoke = useAction(async () => {
    await tokenApi.revoke(slug, apiRef, token.id);
    onClose();
    changed(`tokens/${slug}/`);
    say(`${nameOf(token)} is revoked`);
  });
  return (
    <Confirm
      title={`Revoke ${nameOf(token)}?`}
      action="Revoke token"
      isBusy={revoke.isBusy}
      error={revoke.error}
      onConfirm={() => void revoke.run()}
      onClose={onClose}
    >
      <p>
        The app that holds it is refused within a second, and its open streams end within five. This cannot be
        undone; a new token can be made at any time.
      </p>
    </Confirm>
  );
}

/** A token's scope in words. */
export function scopeWords({
  allowed_methods,
  allowed_path_prefixes,
  rate_limit_per_min,
}: Pick<AppToken, 'allowed_methods' | 'allowed_path_prefixes' | 'rate_limit_per_min'>): string {
  const methods = allowed_methods === null ? 'any method' : allowed_methods.join(', ');
  const paths = allowed_path_prefixes === null ? 'any path' : allowed_path_prefixes.join(', ');
  const limit = rate_limit_per_min === null ? '' : `, ${rate_limit_per_min.toLocaleString()} a minute`;
  return allowed_methods === null && allowed_path_prefixes === null
    ? `everything${limit}`
    : `${methods} on ${paths}${limit}`;
}
