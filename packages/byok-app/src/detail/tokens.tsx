import type { AppToken, MintedToken } from '@zeq/contracts';
import { useState } from 'react';
import { tokenApi } from '../api/mesh.ts';
import { changed, useResource } from '../api/resource.ts';
import { useMachine } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { KeyIcon, PlusIcon } from '../ui/icons.tsx';
import { Empty, Loaded, SkeletonRows } from '../ui/states.tsx';
import type { TabProps } from '../views/api-detail.tsx';
import { MintDialog } from './mint-dialog.tsx';
import { ShownOnce } from './shown-once.tsx';
import { TokenTable } from './token-table.tsx';

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
  const onMinted = (token: MintedToken) => {
    setMinting(false);
    setMinted(token);
    tokens.put({ tokens: [token.app_token, ...(tokens.data?.tokens ?? [])] }); // seen before the list is asked for again
    changed(key);
  };
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
          list.length === 0 ? <NoTokens mint={mint} /> : <Tokens list={list} apiRef={api.id} mint={mint} />
        }
      </Loaded>
      {isMinting && <MintDialog api={api} onClose={() => setMinting(false)} onMinted={onMinted} />}
    </div>
  );
}

const NoTokens = ({ mint }: { mint: React.ReactNode }) => (
  <Empty title="No app can call this API yet" art={<KeyIcon />} action={mint}>
    <p>
      A token belongs to one app. It may end by itself, cover only some paths, and be revoked at any time.
    </p>
  </Empty>
);

const Tokens = ({ list, apiRef, mint }: { list: AppToken[]; apiRef: string; mint: React.ReactNode }) => (
  <>
    <div className="row spread">
      <p className="muted">Revoking stops new calls within a second, and open streams within five.</p>
      {mint}
    </div>
    <TokenTable tokens={list} apiRef={apiRef} />
  </>
);
