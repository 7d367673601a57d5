import { useSyncExternalStore } from 'react';

/** Whether the mesh can be reached from here. */
export interface Reach {
  isAway: boolean;
  /** When it is asked next, by performance.now() (ms); only while it is away. */
  nextTryAt: number;
}

const FIRST_WAIT_MS = 2_000;
const MAX_WAIT_MS = 30_000;
/** A mesh that hangs is as good as none (ms). */
const PROBE_TIMEOUT_MS = 8_000;

let reach: Reach = { isAway: false, nextTryAt: 0 };
let waitMs = FIRST_WAIT_MS;
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();
const backListeners = new Set<() => void>();

export const readReach = (): Reach => reach;
export const useReach = (): Reach => useSyncExternalStore(subscribe, readReach);

/** Runs when the mesh answers again: what could not be asked meanwhile is asked then. @returns Stops listening. */
export function onBack(listener: () => void): () => void {
  backListeners.add(listener);
  return () => backListeners.delete(listener);
}

/** Some call was answered, with whatever. */
export function noteAnswer(): void {
  if (!reach.isAway) return;
  clearTimeout(timer);
  waitMs = FIRST_WAIT_MS;
  set({ isAway: false, nextTryAt: 0 });
  for (const listener of backListeners) listener();
}

/** Some call was not answered. From now on the mesh is asked by itself, less and less often, until it answers. */
export function noteSilence(): void {
  if (!reach.isAway) schedule();
}

/** Asks now. */
export async function tryAgain(): Promise<void> {
  clearTimeout(timer);
  try {
    await fetch('/health', { cache: 'no-store', signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    noteAnswer();
  } catch {
    waitMs = Math.min(MAX_WAIT_MS, waitMs * 2);
    schedule();
  }
}

function schedule(): void {
  clearTimeout(timer);
  timer = setTimeout(() => void tryAgain(), waitMs);
  set({ isAway: true, nextTryAt: performance.now() + waitMs });
}

function set(next: Reach): void {
  reach = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Hears of the network from the browser as well: one that comes back is worth asking at once. @returns Stops. */
export function followNetwork(): () => void {
  const onOnline = () => void (reach.isAway && tryAgain());
  addEventListener('online', onOnline);
  addEventListener('offline', noteSilence);
  return () => {
    removeEventListener('online', onOnline);
    removeEventListener('offline', noteSilence);
  };
}
