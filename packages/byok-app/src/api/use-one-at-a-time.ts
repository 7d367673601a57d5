import { useCallback, useEffect, useRef, useState } from 'react';

type Work = (signal: AbortSignal) => Promise<() => void>;

/** One question at a time, so that no answer overtakes another: a new filter replaces the one that runs, anything else waits its turn. */
export function useOneAtATime(setError: (error: Error | undefined) => void) {
  const running = useRef<AbortController>(undefined);
  const [isRunning, setRunning] = useState(false);
  useEffect(() => () => running.current?.abort(), []);
  const run = useCallback(
    (how: 'replace' | 'skip', work: Work) => {
      if (how === 'skip' && running.current !== undefined) return;
      running.current?.abort();
      const own = new AbortController();
      running.current = own;
      setRunning(true);
      const isCurrent = () => running.current === own && !own.signal.aborted;
      work(own.signal)
        .then((apply) => {
          if (!isCurrent()) return;
          apply();
          setError(undefined);
        })
        .catch((err: Error) => void (isCurrent() && setError(err)))
        .finally(() => {
          if (running.current !== own) return;
          running.current = undefined;
          setRunning(false);
        });
    },
    [setError],
  );
  return { run, isRunning };
}
