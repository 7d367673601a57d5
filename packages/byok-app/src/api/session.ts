import type { SessionInfo } from '@zeq/contracts';
import { useSyncExternalStore } from 'react';
import { ApiProblem, onUnauthorized } from './client.ts';
import { sessionApi } from './mesh.ts';
import { followNetwork, onBack } from './reach.ts';
import { clearResources } from './resource.ts';

/**
 * Whose page this is. The session itself is a cookie that no script can read; what is known here is its machine, scope and end.
 * - `unknown`: nobody has said yet; `problem` is why, when the mesh could not
 * - `ended`: it was open and is over; views stay where they are until the key is shown again
 */
export type Session =
  | { state: 'unknown'; problem?: Error }
  | { state: 'out' }
  | { state: 'in' | 'ended'; slug: string; scope: SessionInfo['scope']; expiresAt: number };

/** Renewed this long before its end, if somebody has been here since the last time (ms). */
const RENEW_BEFORE_MS = 4 * 60_000;
const CHECK_MS = 15_000;
const LOOK_AGAIN_SECONDS = 5;

let session: Session = { state: 'unknown' };
let lastActive = Date.now();
const listeners = new Set<() => void>();
/** Tabs of one browser share the cookie, so they share its end. */
const tabs = new BroadcastChannel('zeq-session');

export function useSession(): Session {
  return useSyncExternalStore(subscribe, () => session);
}

/** The machine of an open session. @throws Error outside of views that need one. */
export function useMachine(): { slug: string; mayEdit: boolean; mayForward: boolean } {
  const now = useSession();
  if (now.state !== 'in' && now.state !== 'ended') throw new Error('this view needs a session');
  return { slug: now.slug, mayEdit: now.scope === 'owner', mayForward: now.scope !== 'read' };
}

/** Asks whether the cookie of an earlier visit still counts, and follows the session from then on. @returns Stops following. */
export function followSession(): () => void {
  const stops = [onUnauthorized(noteEnd), followNetwork(), onBack(() => void look())];
  const onTab = ({ data }: MessageEvent<'out' | 'in'>) =>
    void (data === 'out' ? set({ state: 'out' }) : look());
  const onActive = () => {
    lastActive = Date.now();
  };
  tabs.addEventListener('message', onTab);
  for (const name of ACTIVITY) addEventListener(name, onActive, { passive: true });
  const timer = setInterval(keepOpen, CHECK_MS);
  void look();
  return () => {
    for (const stop of stops) stop();
    tabs.removeEventListener('message', onTab);
    for (const name of ACTIVITY) removeEventListener(name, onActive);
    clearInterval(timer);
  };
}

const ACTIVITY = ['keydown', 'pointerdown', 'visibilitychange'] as const;

/** @throws ApiProblem `unauthorized`, `token_expired` or `rate_limited`; Unreachable. */
export async function signIn(machineKey: string): Promise<void> {
  const info = await sessionApi.open(machineKey);
  const before = 'slug' in session ? session.slug : undefined;
  if (before !== info.machine.slug) clearResources();
  enter(info);
  tabs.postMessage('in');
}

export async function signOut(): Promise<void> {
  await sessionApi.close();
  clearResources();
  set({ state: 'out' });
  tabs.postMessage('out');
}

async function look(): Promise<void> {
  try {
    enter(await sessionApi.show());
  } catch (err) {
    // Nobody is signed in. While nobody can say (the mesh is away, or it limits), it stays unknown.
    if (err instanceof ApiProblem && err.status < 500 && err.status !== 429) noteEnd();
    else if (session.state === 'unknown') {
      set({ state: 'unknown', problem: err as Error });
      setTimeout(look, (retrySeconds(err) ?? LOOK_AGAIN_SECONDS) * 1000);
    }
  }
}

const retrySeconds = (err: unknown) => (err instanceof ApiProblem ? err.retryAfterSeconds : null);

async function keepOpen(): Promise<void> {
  if (session.state !== 'in') return;
  const left = session.expiresAt - Date.now();
  if (left <= 0) return noteEnd();
  const renewedAt = session.expiresAt - 15 * 60_000;
  if (left > RENEW_BEFORE_MS || lastActive < renewedAt) return;
  try {
    enter(await sessionApi.renew());
  } catch {
    // It may be refused, or the mesh be away: the session then ends at its time, and says so.
  }
}

function noteEnd(): void {
  if (session.state === 'in') set({ ...session, state: 'ended' });
  else if (session.state === 'unknown') set({ state: 'out' });
}

function enter({ machine, scope, expires_at }: SessionInfo): void {
  const expiresAt = expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(expires_at);
  set({ state: 'in', slug: machine.slug, scope, expiresAt });
}

function set(next: Session): void {
  if (next.state === 'out') clearResources();
  session = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
