import { useCallback, useEffect, useRef, useState } from 'react';
import { activityApi } from '../api/mesh.ts';
import { onBack } from '../api/reach.ts';
import { useOneAtATime } from '../api/use-one-at-a-time.ts';
import { useRepeated } from '../api/use-repeated.ts';
import { type Calls, firstCalls, withNewer, withOlder, withWaiting } from './calls.ts';
import { type Filter, queryFor } from './filter.ts';

const FIRST_PAGE = 100;
const OLDER_PAGE = 500;
const FOLLOW_MS = 1_500;
/** Nearer to the top than this nobody is reading further down (px). */
const AT_TOP_PX = 300;

export interface FollowedCalls {
  calls: Calls | undefined;
  error: Error | undefined;
  isLoading: boolean;
  loadOlder: () => void;
  showWaiting: () => void;
  reload: () => void;
}

/** The latest calls of an API that fit a filter: pages of older ones on request, newer ones by themselves while followed. */
export function useCalls(slug: string, ref: string, filter: Filter, isFollowing: boolean): FollowedCalls {
  const [calls, setCalls] = useState<Calls>();
  const [error, setError] = useState<Error>();
  const { run, isRunning } = useOneAtATime(setError);
  const latest = useRef<Calls>(undefined);
  latest.current = calls;
  const query = JSON.stringify(queryFor(filter));

  const reload = useCallback(() => {
    run('replace', async (signal) => {
      const page = await activityApi.list(slug, ref, { ...JSON.parse(query), limit: FIRST_PAGE }, signal);
      return () => setCalls(firstCalls(page));
    });
  }, [slug, ref, query, run]);
  const loadOlder = useCallback(() => {
    const before = latest.current?.next;
    if (!before) return;
    run('skip', async (signal) => {
      const older = { ...JSON.parse(query), before, limit: OLDER_PAGE };
      const page = await activityApi.list(slug, ref, older, signal);
      return () => setCalls((now) => now && withOlder(now, page));
    });
  }, [slug, ref, query, run]);
  const follow = useCallback(() => {
    const after = latest.current?.latest;
    if (after === undefined || !isFollowing) return;
    run('skip', async (signal) => {
      const page = await activityApi.list(
        slug,
        ref,
        { ...JSON.parse(query), after, limit: OLDER_PAGE },
        signal,
      );
      return () => setCalls((now) => now && withNewer(now, page, scrollY > AT_TOP_PX));
    });
  }, [slug, ref, query, isFollowing, run]);

  useEffect(reload, [reload]);
  useEffect(() => onBack(reload), [reload]);
  useRepeated(follow, FOLLOW_MS);
  const showWaiting = () => setCalls((now) => now && withWaiting(now));
  return { calls, error, isLoading: isRunning, loadOlder, showWaiting, reload };
}
