import { useCallback, useEffect, useSyncExternalStore } from 'react';
import { ApiProblem } from './client.ts';
import { onBack } from './reach.ts';

/** Something that was asked for: what is known of it, and what went wrong the last time. */
export interface Resource<T> {
  data: T | undefined;
  error: Error | undefined;
  isLoading: boolean;
  reload: () => void;
  /** Puts a newer value in its place, for example what a write has answered. */
  put: (data: T) => void;
}

interface Entry {
  data?: unknown;
  error?: Error | undefined;
  running?: AbortController | undefined;
  loadedAt: number;
}

/** What is older than this is asked for again when a view shows it or the window is looked at (ms). */
const FRESH_MS = 3_000;

let entries = new Map<string, Entry>();
const listeners = new Set<() => void>();
/** What views on screen do to ask again, by key. */
const watchers = new Map<string, Set<() => void>>();
/** Another tab has changed something: what is shown here may be old. */
const tabs = new BroadcastChannel('zeq-changes');

/**
 * A value of the mesh by key: shown at once when it is known, asked for again when it may be old. What a view shows never
 * disappears because a later question failed.
 */
export function useResource<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const entry = useSyncExternalStore(subscribe, () => entries.get(key));
  // biome-ignore lint/correctness/useExhaustiveDependencies: `load` belongs to the key
  const reload = useCallback(() => void fetchInto(key, load), [key]);
  const put = useCallback((data: T) => setEntry(key, { data, loadedAt: performance.now() }), [key]);
  useEffect(() => {
    const refresh = () => {
      const known = entries.get(key);
      const isFresh = known?.error === undefined && performance.now() - (known?.loadedAt ?? 0) <= FRESH_MS;
      if (known === undefined || !isFresh) reload();
    };
    const onVisible = () => void (document.visibilityState === 'visible' && refresh());
    refresh();
    document.addEventListener('visibilitychange', onVisible);
    const stopBack = onBack(refresh);
    tabs.addEventListener('message', reload);
    const stopWatching = watch(key, reload);
    return () => {
      stopWatching();
      document.removeEventListener('visibilitychange', onVisible);
      stopBack();
      tabs.removeEventListener('message', reload);
    };
  }, [key, reload]);
  const { data, error, running } = entry ?? {};
  return {
    data: data as T | undefined,
    error,
    isLoading: running !== undefined || entry === undefined,
    reload,
    put,
  };
}

/** After a write: values with these prefixes are old, here and in other tabs. What is on screen is asked for again. */
export function changed(...prefixes: string[]): void {
  for (const key of [...entries.keys()]) {
    if (!prefixes.some((prefix) => key.startsWith(prefix))) continue;
    const reloads = watchers.get(key);
    if (reloads === undefined) entries.delete(key);
    else for (const reload of reloads) reload();
  }
  notify();
  tabs.postMessage('changed');
}

/** Nothing of one machine is shown to the next. */
export function clearResources(): void {
  for (const { running } of entries.values()) running?.abort();
  entries = new Map();
  notify();
}

async function fetchInto(key: string, load: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  entries.get(key)?.running?.abort();
  const running = new AbortController();
  setEntry(key, { ...(entries.get(key) ?? { loadedAt: 0 }), running });
  try {
    const data = await load(running.signal);
    if (entries.get(key)?.running === running) setEntry(key, { data, loadedAt: performance.now() });
  } catch (err) {
    const known = entries.get(key);
    if (known?.running !== running) return;
    const isGone = err instanceof ApiProblem && err.status === 404;
    const rest = isGone ? { loadedAt: 0 } : known;
    setEntry(key, { ...rest, running: undefined, error: err as Error, loadedAt: performance.now() });
  }
}

function setEntry(key: string, entry: Entry): void {
  entries.set(key, entry);
  notify();
}

function notify(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function watch(key: string, reload: () => void): () => void {
  const reloads = watchers.get(key) ?? new Set();
  watchers.set(key, reloads.add(reload));
  return () => {
    reloads.delete(reload);
    if (reloads.size === 0 && watchers.get(key) === reloads) watchers.delete(key);
  };
}
