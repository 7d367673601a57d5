import type { Usage } from '@zeq/contracts';
import { usageApi } from '../api/mesh.ts';
import { useResource } from '../api/resource.ts';
import { useMachine } from '../api/session.ts';
import { useRepeated } from '../api/use-repeated.ts';
import { goTo } from '../router.ts';
import { Choice } from '../ui/choice.tsx';
import { DownloadButton } from '../ui/download-button.tsx';
import { ChartIcon } from '../ui/icons.tsx';
import { Empty, Loaded, SkeletonRows } from '../ui/states.tsx';
import type { TabProps } from '../views/api-detail.tsx';
import { NumbersTable } from './numbers-table.tsx';
import { Plots } from './plots.tsx';
import { queryOf, RANGES, type Range, rangeOf } from './ranges.ts';
import { Refusals } from './refusals.tsx';
import { Totals } from './totals.tsx';

/** How much an API is used, how fast it answers, and how much of it fails. */
export function UsageTab({ api, part }: TabProps) {
  const { slug } = useMachine();
  const range = rangeOf(part);
  const usage = useResource(`usage/${slug}/${api.id}/${range.id}`, (signal) =>
    usageApi.show(slug, api.id, queryOf(range, Date.now()), signal),
  );
  useRepeated(usage.reload, range.everyMs);
  return (
    <div className="stack">
      <div className="row spread">
        <Choice
          label="Time"
          options={RANGES.map(({ id, label }) => [id, label] as const)}
          chosen={range.id}
          onChoose={(id) => goTo('apis', api.name, 'usage', id)}
        />
        <DownloadButton
          what="usage"
          path={() => usageApi.path(slug, api.id, { ...queryOf(range, Date.now()), format: 'csv' })}
          fileName={`${api.name}-usage-${range.id}.csv`}
        />
      </div>
      <Loaded key={range.id} resource={usage} skeleton={<SkeletonRows rows={3} height={230} />}>
        {(data) => <Figures usage={data} range={range} />}
      </Loaded>
    </div>
  );
}

const Figures = ({ usage, range }: { usage: Usage; range: Range }) => (
  <>
    <Totals total={usage.total} />
    {usage.total.requests === 0 ? (
      <Empty title={`No calls in the last ${range.label.replace(/^1 /, '')}`} art={<ChartIcon />}>
        <p>A call is counted when it has ended; it appears here within seconds.</p>
      </Empty>
    ) : (
      <>
        <Plots usage={usage} />
        <Refusals total={usage.total} />
        <NumbersTable usage={usage} />
      </>
    )}
    {usage.coarse_before && (
      <p className="faint">
        Before {new Date(usage.coarse_before).toLocaleString()} figures are kept by the hour or day only: they
        stand at its beginning.
      </p>
    )}
  </>
);
