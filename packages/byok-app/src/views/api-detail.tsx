import type { ComponentType } from 'react';
import { ActivityTab } from '../activity/activity.tsx';
import { ApiProblem } from '../api/client.ts';
import { type Api, apiApi } from '../api/mesh.ts';
import { type Resource, useResource } from '../api/resource.ts';
import { useMachine } from '../api/session.ts';
import { credentialWords, hostOf, stateOf } from '../api-state.ts';
import { RecordTab } from '../audit/record.tsx';
import { ConsoleTab } from '../console/console.tsx';
import { ConnectTab } from '../detail/connect.tsx';
import { SettingsTab } from '../detail/settings.tsx';
import { TAB_NAMES, TABS, type Tab, TabBar } from '../detail/tab-bar.tsx';
import { TokensTab } from '../detail/tokens.tsx';
import { presetOf } from '../providers.ts';
import { href, type Route } from '../router.ts';
import { Badge } from '../ui/badge.tsx';
import { PageHeading } from '../ui/heading.tsx';
import { BackIcon, LayersIcon } from '../ui/icons.tsx';
import { Empty, Loaded, SkeletonRows } from '../ui/states.tsx';
import { Tile } from '../ui/tile.tsx';
import { UsageTab } from '../usage/usage.tsx';

export interface TabProps {
  api: Api;
  resource: Resource<Api>;
  /** What follows the tab in the address. */
  part: string | undefined;
}

const BODIES: Record<Tab, ComponentType<TabProps>> = {
  connect: ConnectTab,
  console: ConsoleTab,
  usage: UsageTab,
  activity: ActivityTab,
  record: RecordTab,
  tokens: TokensTab,
  settings: SettingsTab,
};

/** One API: how to call it, try it, who may call it, and how it is set. */
export default function ApiDetailView({ rest }: { rest: Route }) {
  const { slug, mayEdit, mayForward } = useMachine();
  const ref = rest[0] ?? '';
  const resource = useResource(`apis/${slug}/${ref}`, (signal) => apiApi.show(slug, ref, signal));
  const allowed = TAB_NAMES.filter(
    (name) => mayEdit || name === 'connect' || (name === 'console' && mayForward),
  );
  const tab = allowed.find((name) => name === rest[1]) ?? 'connect';
  if (resource.error instanceof ApiProblem && resource.error.status === 404) return <Gone name={ref} />;
  const Body = BODIES[tab];
  return (
    <>
      <PageHeading
        title={ref}
        tabTitle={`${ref}: ${TABS[tab]}`}
        before={<Back />}
        actions={
          resource.data && <Badge tone={stateOf(resource.data).tone}>{stateOf(resource.data).label}</Badge>
        }
      />
      <Loaded resource={resource} skeleton={<SkeletonRows rows={3} height={90} />}>
        {(api) => (
          <>
            <Summary api={api} />
            <TabBar names={allowed} current={tab} api={ref} />
            <Body key={api.id} api={api} resource={resource} part={rest[2]} />
          </>
        )}
      </Loaded>
    </>
  );
}

const Back = () => (
  <a className="crumb" href={href('apis')}>
    <BackIcon />
    APIs
  </a>
);

const Gone = ({ name }: { name: string }) => (
  <>
    <PageHeading title={name} before={<Back />} />
    <Empty title="There is no such API" art={<LayersIcon />}>
      <p>It was removed or renamed, or it belongs to another machine.</p>
    </Empty>
  </>
);

const Summary = ({ api }: { api: Api }) => (
  <section className="card card-body summary" aria-label="Summary">
    <Tile provider={api.provider} name={api.name} />
    <dl className="facts grow">
      <div>
        <dt>{presetOf(api.provider)?.label ?? 'Upstream'}</dt>
        <dd>{hostOf(api.base_url)}</dd>
      </div>
      <div>
        <dt>Credential</dt>
        <dd className="mono">{credentialWords(api)}</dd>
      </div>
      <div>
        <dt>Limit</dt>
        <dd className="numbers">{api.rate_limit_per_min.toLocaleString()} calls a minute</dd>
      </div>
    </dl>
    {api.warnings.length > 0 && (
      <ul className="warnings">
        {api.warnings.map((warning) => (
          <li key={warning}>{warning}</li>
        ))}
      </ul>
    )}
  </section>
);
