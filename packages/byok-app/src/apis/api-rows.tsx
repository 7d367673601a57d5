import type { UsageSummary } from '@zeq/contracts';
import { type Api, usageApi } from '../api/mesh.ts';
import { useResource } from '../api/resource.ts';
import { useMachine } from '../api/session.ts';
import { useRepeated } from '../api/use-repeated.ts';
import { credentialWords, hostOf, stateOf } from '../api-state.ts';
import { Sparkline } from '../plot/sparkline.tsx';
import { presetOf } from '../providers.ts';
import { href } from '../router.ts';
import { Badge } from '../ui/badge.tsx';
import { Tile } from '../ui/tile.tsx';
import { useRows } from '../ui/use-rows.ts';

/** An API that nobody has called is not in the answer. */
const QUIET = { requests: [], errors: [] };
const ROW_PX = 73;
const RENEW_MS = 15_000;

/** Every API as a row that leads to it. */
export function ApiRows({ shown }: { shown: readonly Api[] }) {
  const lastHour = useLastHour();
  const { ref, drawn, before, after, measure } = useRows<HTMLUListElement>(shown.length, ROW_PX);
  return (
    <ul className="card api-list" ref={ref}>
      {before > 0 && <li className="row-space" style={{ height: before }} role="presentation" />}
      {drawn.map((index) => {
        const api = shown[index];
        return (
          api && (
            <li
              key={api.id}
              className="api-row"
              ref={measure}
              data-index={index}
              aria-setsize={shown.length}
              aria-posinset={index + 1}
            >
              <ApiRow api={api} lastHour={lastHour} />
            </li>
          )
        );
      })}
      {after > 0 && <li className="row-space" style={{ height: after }} role="presentation" />}
    </ul>
  );
}

/** Calls and errors of the last hour by API; null while they are not known. */
type LastHour = Map<string, UsageSummary['apis'][number]> | null;

function useLastHour(): LastHour {
  const { slug, mayEdit } = useMachine();
  const summary = useResource(`usage-summary/${slug}`, (signal) =>
    mayEdit ? usageApi.summary(slug, signal) : Promise.resolve(undefined),
  );
  useRepeated(summary.reload, RENEW_MS);
  return summary.data === undefined ? null : new Map(summary.data.apis.map((each) => [each.api_id, each]));
}

function ApiRow({ api, lastHour }: { api: Api; lastHour: LastHour }) {
  const { tone, label } = stateOf(api);
  return (
    <>
      <Tile provider={api.provider} name={api.name} />
      <div className="api-name">
        <a href={href('apis', api.name)} className="wrap-anywhere">
          {api.name}
        </a>
        <p className="ellipsis">
          {[presetOf(api.provider)?.label, hostOf(api.base_url)].filter(Boolean).join(' · ')}
        </p>
      </div>
      <div className="hide-small">
        <p className="cell-label">Credential</p>
        <p className="mono ellipsis">{credentialWords(api)}</p>
      </div>
      <div className="hide-small">
        <p className="cell-label">Limit</p>
        <p className="numbers ellipsis">{api.rate_limit_per_min.toLocaleString()} / min</p>
      </div>
      <div className="api-hour">{lastHour && <Sparkline {...(lastHour.get(api.id) ?? QUIET)} />}</div>
      <Badge tone={tone}>{label}</Badge>
    </>
  );
}
