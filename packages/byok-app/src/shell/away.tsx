import { useSyncExternalStore } from 'react';
import { tryAgain, useReach } from '../api/reach.ts';
import { Button } from '../ui/button.tsx';
import { Mark, WarnIcon } from '../ui/icons.tsx';
import { Empty } from '../ui/states.tsx';
import { useNow } from '../ui/time.tsx';

/** Lies over the foot of the page while the mesh cannot be reached, so that nothing moves. What is on the page stays. */
export function AwayBanner() {
  const { isAway } = useReach();
  const isOnline = useOnline();
  return (
    <div role="status">
      {isAway && (
        <div className="banner">
          <WarnIcon />
          <span>
            {isOnline ? 'The mesh does not answer.' : 'You are offline.'} What you see may be out of date;
            what you have written is kept.
          </span>
          <Countdown />
          <Button onClick={() => void tryAgain()}>Try now</Button>
        </div>
      )}
    </div>
  );
}

/** For the eye only: read out every second, it would drown everything else. */
function Countdown() {
  const { nextTryAt } = useReach();
  useNow(500);
  const seconds = Math.max(0, Math.ceil((nextTryAt - performance.now()) / 1000));
  return (
    <span className="numbers" aria-hidden="true">
      Next try in {seconds} s
    </span>
  );
}

function useOnline(): boolean {
  return useSyncExternalStore(subscribeOnline, () => navigator.onLine);
}

function subscribeOnline(listener: () => void): () => void {
  addEventListener('online', listener);
  addEventListener('offline', listener);
  return () => {
    removeEventListener('online', listener);
    removeEventListener('offline', listener);
  };
}

/** Before it is known who is here: nothing, or, when the mesh gives no answer, that. */
export function Waiting({ problem }: { problem: Error | undefined }) {
  const { isAway } = useReach();
  if (!isAway && problem === undefined) return null;
  return (
    <main className="main">
      <h1 className="sr-only">Zeq mesh</h1>
      <Empty title={isAway ? 'The mesh does not answer' : 'The mesh has a problem'} art={<Mark />}>
        <p>
          {isAway ? 'This page was loaded, but its server cannot be reached now.' : problem?.message} It is
          asked again by itself.
        </p>
      </Empty>
    </main>
  );
}
