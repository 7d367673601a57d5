import { useDeferredValue, useState } from 'react';
import { activityApi } from '../api/mesh.ts';
import { useMachine } from '../api/session.ts';
import { exact } from '../plot/format.ts';
import { Button } from '../ui/button.tsx';
import { DownloadButton } from '../ui/download-button.tsx';
import { ListIcon, PlayIcon, StopIcon } from '../ui/icons.tsx';
import { Empty, Failure, SkeletonRows } from '../ui/states.tsx';
import type { TabProps } from '../views/api-detail.tsx';
import { CallTable } from './call-table.tsx';
import type { Calls } from './calls.ts';
import { type Filter, isFiltered, NO_FILTER, queryFor } from './filter.ts';
import { Filters } from './filters.tsx';
import { OlderCalls } from './older-calls.tsx';
import { type FollowedCalls, useCalls } from './use-calls.ts';

/** Who called, what came of it, and who said no: the latest 10,000 calls of an API. */
export function ActivityTab({ api }: TabProps) {
  const { slug } = useMachine();
  const [filter, setFilter] = useState<Filter>(NO_FILTER);
  const [isFollowing, setFollowing] = useState(true);
  const asked = useDeferredValue(filter);
  const followed = useCalls(slug, api.id, asked, isFollowing);
  return (
    <div className="stack">
      <div className="row spread activity-tools">
        <Filters apiRef={api.id} filter={filter} onChange={(part) => setFilter({ ...filter, ...part })} />
        <div className="actions">
          <FollowButton isFollowing={isFollowing} onToggle={() => setFollowing(!isFollowing)} />
          <DownloadButton
            what="activity"
            path={() => activityApi.path(slug, api.id, { ...queryFor(filter), format: 'csv' })}
            fileName={`${api.name}-activity.csv`}
          />
        </div>
      </div>
      <Body
        apiId={api.id}
        followed={followed}
        isFiltered={isFiltered(asked)}
        onClear={() => setFilter(NO_FILTER)}
      />
    </div>
  );
}

const FollowButton = ({ isFollowing, onToggle }: { isFollowing: boolean; onToggle: () => void }) => (
  <Button icon={isFollowing ? <StopIcon /> : <PlayIcon />} onClick={onToggle}>
    {isFollowing ? 'Pause' : 'Follow'}
  </Button>
);

interface BodyProps {
  apiId: string;
  followed: FollowedCalls;
  isFiltered: boolean;
  onClear: () => void;
}

function Body({ apiId, followed, isFiltered, onClear }: BodyProps) {
  const { calls, error, isLoading, reload } = followed;
  return (
    <>
      {error && <Failure error={error} retry={reload} isBusy={isLoading} isStale={calls !== undefined} />}
      {calls === undefined ? (
        !error && <SkeletonRows rows={8} height={45} />
      ) : calls.entries.length === 0 ? (
        <Nothing isFiltered={isFiltered} onClear={onClear} />
      ) : (
        <Listed apiId={apiId} calls={calls} followed={followed} />
      )}
    </>
  );
}

const Nothing = ({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) =>
  isFiltered ? (
    <Empty title="No call fits" action={<Button onClick={onClear}>Clear the filter</Button>}>
      <p>Nothing among the latest 10,000 calls. New ones that fit appear here.</p>
    </Empty>
  ) : (
    <Empty title="Nobody has called yet" art={<ListIcon />}>
      <p>Each call appears here within seconds: who made it, how it ended, and who said no.</p>
    </Empty>
  );

const Listed = ({ apiId, calls, followed }: { apiId: string; calls: Calls; followed: FollowedCalls }) => (
  <>
    {calls.waiting.length > 0 && (
      <Button
        kind="primary"
        className="waiting"
        onClick={() => {
          followed.showWaiting();
          scrollTo({ top: 0 });
        }}
      >
        {exact(calls.waiting.length)} new
      </Button>
    )}
    <CallTable entries={calls.entries} apiId={apiId} />
    <OlderCalls
      shown={calls.entries.length}
      hasMore={calls.next !== null}
      isLoading={followed.isLoading}
      onMore={followed.loadOlder}
    />
  </>
);
