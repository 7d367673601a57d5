import { useState } from 'react';
import { type Api, apiApi } from '../api/mesh.ts';
import { useResource } from '../api/resource.ts';
import { useMachine } from '../api/session.ts';
import { ApiRows } from '../apis/api-rows.tsx';
import { href } from '../router.ts';
import { TextField } from '../ui/field.tsx';
import { PageHeading } from '../ui/heading.tsx';
import { LayersIcon, PlusIcon, SearchIcon } from '../ui/icons.tsx';
import { Empty, Loaded, SkeletonRows } from '../ui/states.tsx';

/** Every registered API of the machine. */
export function ApisView() {
  const { slug, mayEdit } = useMachine();
  const apis = useResource(`apis/${slug}`, (signal) => apiApi.list(slug, signal));
  const add = (
    <a className="button button-primary" href={href('add')}>
      <PlusIcon />
      Add API
    </a>
  );
  return (
    <>
      <PageHeading
        title="APIs"
        lead="Provider keys registered with this machine. Apps call them through the mesh and never hold the key."
        actions={mayEdit && add}
      />
      <Loaded resource={apis} skeleton={<SkeletonRows rows={4} height={73} />}>
        {(list) => (list.length === 0 ? <NoApis action={mayEdit && add} /> : <ApiList list={list} />)}
      </Loaded>
    </>
  );
}

const NoApis = ({ action }: { action: React.ReactNode }) => (
  <Empty title="Register your first key" art={<LayersIcon />} action={action}>
    <p>
      Pick a provider, paste the key, test it. It is encrypted at once; from then on your apps use a token of
      their own that you can revoke at any time.
    </p>
  </Empty>
);

/** From here on a list is worth searching. */
const SEARCH_FROM = 6;

function ApiList({ list }: { list: Api[] }) {
  const [query, setQuery] = useState('');
  const wanted = query.trim().toLowerCase();
  const shown = list.filter((api) =>
    `${api.name} ${api.base_url} ${api.provider ?? ''}`.toLowerCase().includes(wanted),
  );
  return (
    <>
      {list.length >= SEARCH_FROM && (
        <div className="toolbar">
          <search className="search">
            <SearchIcon />
            <TextField
              label="Search APIs"
              isLabelHidden
              type="search"
              placeholder="Name, host or provider"
              value={query}
              onChange={(event) => setQuery(event.target.value)}
            />
          </search>
          <p className="sr-only" role="status">
            {shown.length} of {list.length} APIs
          </p>
        </div>
      )}
      {shown.length === 0 ? (
        <Empty title="No match">
          <p>No API has “{query}” in its name, host or provider.</p>
        </Empty>
      ) : (
        <ApiRows shown={shown} />
      )}
    </>
  );
}
