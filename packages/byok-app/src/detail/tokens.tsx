import type { AppToken, MintedToken } from '@zeq/contracts';
import { useState } from 'react';
import { tokenApi } from '../api/mesh.ts';
import { changed, useResource } from '../api/resource.ts';
import { useMachine } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/dialog.tsx';
import { KeyIcon, PlusIcon } from '../ui/icons.tsx';
import { Empty, Loaded, SkeletonRows } from '../ui/states.tsx';
import { Moment } from '../ui/time.tsx';
import { say } from '../ui/toast.tsx';
import { useAction } from '../ui/use-action.ts';
import type { TabProps } from '../views/api-detail.tsx';
import { MintDialog } from './mint-dialog.tsx';
import { ShownOnce } from './shown-once.tsx';

/** Who may call this API: one token for each app. */
export function TokensTab({ api }: TabProps) {
  const { slug } = useMachine();
  const key = `tokens/${slug}/${api.id}`;
  const tokens = useResource(key, (signal) => tokenApi.list(slug, api.id, signal));
  const [isMinting, setMinting] = useState(false);
  const [minted, setMinted] = useState<MintedToken>();
  const mint = (
    <Button kind="primary" icon={<PlusIcon />} onClick={() => setMinting(true)}>
      New token
    </Button>
  );
  return (
    <div className="stack">
      {minted && (
        <ShownOnce
          secret={minted.token}
          what="token"
          title={`Token for ${minted.app_token.name || 'your app'}`}
          onDone={() => setMinted(undefined)}
        />
      )}
      <Loaded resource={tokens} skeleton={<SkeletonRows rows={3} />}>
        {({ tokens: list }) =>
          list.length === 0 ? (
            <Empty title="No app can call this API yet" art={<KeyIcon />} action={mint}>
              <p>
                A token belongs to one app. It may end by itself, cover only some paths, and be revoked at any
                time.
              </p>
            </Empty>
          ) : (
            <>
              <div className="row spread">
                <p className="muted">
                  Revoking stops new calls within a second, and open streams within five.
                </p>
                {mint}
              </div>
              <TokenTable tokens={list} apiRef={api.id} />
            </>
          )
        }
      </Loaded>
      {isMinting && (
        <MintDialog
          api={api}
          onClose={() => setMinting(false)}
          onMinted={(token) => {
            setMinting(false);
            setMinted(token);
            changed(key);
          }}
        />
      )}
    </div>
  );
}

function TokenTable({ tokens, apiRef }: { tokens: AppToken[]; apiRef: string }) {
  const { slug } = useMachine();
  const [doomed, setDoomed] = useState<AppToken>();
  const revoke = useAction(async (token: AppToken) => {
    await tokenApi.revoke(slug, apiRef, token.id);
    setDoomed(undefined);
    changed(`tokens/${slug}/`);
    say(`${token.name || token.prefix} is revoked`);
  });
  return (
    <div className="card">
      <table className="table table-cards">
        <thead>
          <tr>
            <th scope="col">App</th>
            <th scope="col">Token</th>
            <th scope="col">May</th>
            <th scope="col">Made</th>
            <th scope="col">Ends</th>
            <th scope="col">
              <span className="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => (
            <tr key={token.id}>
              <td data-label="App">
                <strong className="wrap-anywhere">{token.name || 'unnamed'}</strong>
              </td>
              <td data-label="Token" className="mono">
                {token.prefix}…
              </td>
              <td data-label="May">{scopeWords(token)}</td>
              <td data-label="Made">
                <Moment at={token.created_at} />
              </td>
              <td data-label="Ends">
                {token.expires_at === null ? 'never' : <Moment at={token.expires_at} />}
              </td>
              <td data-label="" className="end">
                <Button
                  kind="quiet"
                  className="tone-bad"
                  aria-label={`Revoke ${token.name || token.prefix}`}
                  onClick={() => setDoomed(token)}
                >
                  Revoke
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {doomed && (
        <Confirm
          title={`Revoke ${doomed.name || doomed.prefix}?`}
          action="Revoke token"
          isBusy={revoke.isBusy}
          error={revoke.error}
          onConfirm={() => void revoke.run(doomed)}
          onClose={() => setDoomed(undefined)}
        >
          <p>
            The app that holds it is refused within a second, and its open streams end within five. This
            cannot be undone; a new token can be made at any time.
          </p>
        </Confirm>
      )}
    </div>
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
