import type { AuditPage } from '@zeq/contracts';
import { useCallback, useEffect, useRef, useState } from 'react';
import { auditApi } from '../api/mesh.ts';
import { onBack } from '../api/reach.ts';
import { useOneAtATime } from '../api/use-one-at-a-time.ts';
import { beginOf, type RecordRange } from './ranges.ts';

const PAGE = 100;

export interface ShownRecord {
  /** As they were answered, each with its head. The array is another one when anything else is shown. */
  pages: readonly AuditPage[] | undefined;
  error: Error | undefined;
  isLoading: boolean;
  loadMore: () => void;
  reload: () => void;
}

/** The record of an API from a moment on: its first page, and more on request. */
export function useRecord(slug: string, ref: string, range: RecordRange): ShownRecord {
  const [pages, setPages] = useState<readonly AuditPage[]>();
  const [error, setError] = useState<Error>();
  const { run, isRunning } = useOneAtATime(setError);
  const latest = useRef<readonly AuditPage[]>(undefined);
  latest.current = pages;
  const begin = useRef<{ from?: string }>({});

  const reload = useCallback(() => {
    begin.current = beginOf(range, Date.now());
    run('replace', async (signal) => {
      const page = await auditApi.list(slug, ref, { ...begin.current, limit: PAGE }, signal);
      return () => setPages([page]);
    });
  }, [slug, ref, range, run]);
  const loadMore = useCallback(() => {
    const after = latest.current?.at(-1)?.next;
    if (!after) return;
    run('skip', async (signal) => {
      const page = await auditApi.list(slug, ref, { ...begin.current, after, limit: PAGE }, signal);
      return () => setPages((now) => now && [...now, page]);
    });
  }, [slug, ref, run]);

  useEffect(reload, [reload]);
  // What is shown stays what it is, so that a verdict on it does: nothing is asked for anew that was answered.
  const lacks = pages === undefined || error !== undefined;
  useEffect(() => (lacks ? onBack(reload) : undefined), [lacks, reload]);
  return { pages, error, isLoading: isRunning, loadMore, reload };
}
