import type { Hold, Tick } from '@zeq/contracts';
import { type TickFault, TickFollower } from '@zeq/crypto/web';
import { useEffect, useState } from 'react';
import { whyNotVerify } from './can-verify.ts';
import { followKey } from './known-key.ts';

export interface SeenTick {
  tick: Tick;
  /** undefined: signed, and it follows from the one before. */
  fault: TickFault | undefined;
  isFirst: boolean;
}

export interface Ticks {
  state: 'connecting' | 'live' | 'lost';
  /** The latest, newest first. */
  seen: readonly SeenTick[];
  verified: number;
  hold: Hold | undefined;
  /** Why nothing can be verified in this browser; null when it can. */
  cannotVerify: string | null;
}

const KEPT = 12;

const BEGIN: Ticks = { state: 'connecting', seen: [], verified: 0, hold: undefined, cannotVerify: null };

/** Live ticks, each checked before it is shown. The browser connects again by itself; a hidden page listens to nothing. */
export function useTicks(): Ticks {
  const [ticks, setTicks] = useState<Ticks>({ ...BEGIN, cannotVerify: whyNotVerify() });
  useEffect(() => {
    let stop = listen(setTicks);
    const onVisibility = () => {
      stop();
      stop = document.visibilityState === 'visible' ? listen(setTicks) : () => undefined;
    };
    document.addEventListener('visibilitychange', onVisibility);
    return () => {
      document.removeEventListener('visibilitychange', onVisibility);
      stop();
    };
  }, []);
  return ticks;
}

function listen(set: (change: (ticks: Ticks) => Ticks) => void): () => void {
  const follower = new TickFollower();
  const source = new EventSource('/sync/ticks');
  let queue = Promise.resolve(); // one after the other: each follows from the one before
  const onMessage = ({ data }: MessageEvent<string>) => {
    const message = JSON.parse(data) as Tick | Hold;
    if (message.type === 'hold') return set((ticks) => ({ ...ticks, hold: message }));
    queue = queue.then(() => take(message, follower, set));
  };
  for (const name of ['message', 'tick', 'hold']) source.addEventListener(name, onMessage as EventListener);
  source.onopen = () => set((ticks) => ({ ...ticks, state: 'live' }));
  source.onerror = () => set((ticks) => ({ ...ticks, state: 'lost' }));
  return () => source.close();
}

async function take(tick: Tick, follower: TickFollower, set: (change: (ticks: Ticks) => Ticks) => void) {
  const isFirst = follower.head === undefined;
  const fault = whyNotVerify() === null ? await follower.accept(tick) : undefined;
  // Ticks that were not shown (a sleeping tab) are no lie: the chain is followed anew from here.
  if (fault === 'missing') await follower.skipTo(tick);
  if (follower.head !== undefined) followKey(follower.head.tesc.public_key);
  set((ticks) => ({
    ...ticks,
    state: 'live',
    hold: undefined,
    verified: ticks.verified + (fault === undefined && ticks.cannotVerify === null ? 1 : 0),
    seen: [{ tick, fault, isFirst }, ...ticks.seen].slice(0, KEPT),
  }));
}
