import type { KeyScope, MachineKey, MintedKey } from '@zeq/contracts';
import { type FormEvent, useState } from 'react';
import { keyApi } from '../api/mesh.ts';
import { changed, useResource } from '../api/resource.ts';
import { useMachine } from '../api/session.ts';
import { ShownOnce } from '../detail/shown-once.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm, Dialog } from '../ui/dialog.tsx';
import { SelectField, TextField } from '../ui/field.tsx';
import { PageHeading } from '../ui/heading.tsx';
import { PlusIcon } from '../ui/icons.tsx';
import { Loaded, ProblemNote, SkeletonRows } from '../ui/states.tsx';
import { Moment } from '../ui/time.tsx';
import { say } from '../ui/toast.tsx';
import { useAction } from '../ui/use-action.ts';

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

function KeyTable({ keys }: { keys: MachineKey[] }) {
  const { slug } = useMachine();
  const [doomed, setDoomed] = useState<MachineKey>();
  const revoke = useAction(async (key: MachineKey) => {
    await keyApi.revoke(slug, key.id);
    setDoomed(undefined);
    changed(`keys/${slug}`);
    say(`${key.name || key.prefix} is revoked`);
  });
  return (
    <div className="card">
      <table className="table table-cards">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Key</th>
            <th scope="col">Scope</th>
            <th scope="col">Made</th>
            <th scope="col">Ends</th>
            <th scope="col">
              <span className="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <tr key={key.id}>
              <td data-label="Name">
                <strong className="wrap-anywhere">{key.name || 'unnamed'}</strong>
              </td>
              <td data-label="Key" className="mono">
                {key.prefix}…
              </td>
              <td data-label="Scope">{SCOPES[key.scope]}</td>
              <td data-label="Made">
                <Moment at={key.created_at} />
              </td>
              <td data-label="Ends">{key.expires_at === null ? 'never' : <Moment at={key.expires_at} />}</td>
              <td data-label="" className="end">
                <Button
                  kind="quiet"
                  className="tone-bad"
                  aria-label={`Revoke ${key.name || key.prefix}`}
                  onClick={() => setDoomed(key)}
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
          action="Revoke key"
          isBusy={revoke.isBusy}
          error={revoke.error}
          onConfirm={() => void revoke.run(doomed)}
          onClose={() => setDoomed(undefined)}
        >
          <p>
            Everything that uses this key is refused within a second, and sessions opened with it end, this
            one included if you signed in with it.{' '}
            {keys.length === 1 && (
              <strong>It is the last key: without another one nobody can sign in to {slug} again.</strong>
            )}
          </p>
        </Confirm>
      )}
    </div>
  );
}

const SCOPES: Record<KeyScope, string> = {
  owner: 'everything',
  forward: 'call and read',
  read: 'read',
};

function MintKeyDialog({
  onClose,
  onMinted,
}: {
  onClose: () => void;
  onMinted: (minted: MintedKey) => void;
}) {
  const { slug } = useMachine();
  const [name, setName] = useState('');
  const [scope, setScope] = useState<KeyScope>('owner');
  const mint = useAction(async () =>
    onMinted(await keyApi.mint(slug, { scope, ...(name.trim() !== '' && { name: name.trim() }) })),
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void mint.run();
  };
  return (
    <Dialog title="New machine key" onClose={onClose}>
      <form onSubmit={submit}>
        <TextField
          label="Name"
          placeholder="laptop, CI, Ana"
          maxLength={255}
          autoFocus
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <SelectField label="May" value={scope} onChange={(event) => setScope(event.target.value as KeyScope)}>
          <option value="owner">everything</option>
          <option value="forward">call APIs and read</option>
          <option value="read">read only</option>
        </SelectField>
        {mint.error && <ProblemNote error={mint.error} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" isBusy={mint.isBusy}>
            Make key
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
