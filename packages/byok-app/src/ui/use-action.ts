import { useRef, useState } from 'react';

export interface Action<Args extends unknown[], T> {
  run: (...args: Args) => Promise<T | undefined>;
  isBusy: boolean;
  error: Error | undefined;
  clear: () => void;
}

/** Something a person starts: it runs once at a time, and its failure is kept to be shown beside the button. */
export function useAction<Args extends unknown[], T>(work: (...args: Args) => Promise<T>): Action<Args, T> {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<Error>();
  const running = useRef(false);
  const run = async (...args: Args): Promise<T | undefined> => {
    if (running.current) return undefined;
    running.current = true;
    setBusy(true);
    setError(undefined);
    try {
      return await work(...args);
    } catch (err) {
      setError(err as Error);
      return undefined;
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  return { run, isBusy, error, clear: () => setError(undefined) };
}
