import type { MintedKey } from '@zeq/contracts';
import { useState } from 'react';
import { keyApi } from '../api/mesh.ts';
import { changed, useResource } from '../api/resource.ts';
import { useMachine } from '../api/session.ts';
import { ShownOnce } from '../detail/shown-once.tsx';
import { KeyTable } from '../keys/key-table.tsx';
import { MintKeyDialog } from '../keys/mint-key-dialog.tsx';
import { Button } from '../ui/button.tsx';
import { PageHeading } from '../ui/heading.tsx';
import { PlusIcon } from '../ui/icons.tsx';
import { Loaded, SkeletonRows } from '../ui/states.tsx';

/** The keys of the machine itself: who may sign in here, and automate. */
export default function KeysView() {
  const { slug } = useMachine();
  const cacheKey = `keys/${slug}`;
  const keys = useResource(cacheKey, (signal) => keyApi.list(slug, signal));
  const [isMinting, setMinting] = useState(false);
  const [minted, setMinted] = useState<MintedKey>();
  const onMinted = (next: MintedKey) => {
    setMinting(false);
    setMinted(next);
    keys.put({ keys: [next.key, ...(keys.data?.keys ?? [])] }); // seen before the list is asked for again
    changed(cacheKey);
  };
  return (
    <>
      <PageHeading
        title="Machine keys"
        lead={`They open everything under ${slug}, within their scope. Apps get tokens instead, on the page of each API.`}
        actions={
          <Button kind="primary" icon={<PlusIcon />} onClick={() => setMinting(true)}>
            New key
          </Button>
        }
      />
      <div className="stack">
        {minted && (
          <ShownOnce
            secret={minted.api_key}
            what="machine key"
            title={`Key ${minted.key.name || minted.key.prefix}`}
            onDone={() => setMinted(undefined)}
          />
        )}
        <Loaded resource={keys} skeleton={<SkeletonRows rows={2} />}>
          {({ keys: list }) => <KeyTable keys={list} />}
        </Loaded>
      </div>
      {isMinting && <MintKeyDialog onClose={() => setMinting(false)} onMinted={onMinted} />}
    </>
  );
}
