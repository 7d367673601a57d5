import { useEffect } from 'react';

/** Does something again and again while the page is looked at. @param work The same function as long as it does the same. */
export function useRepeated(work: () => void, everyMs: number): void {
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === 'visible' && work(), everyMs);
    return () => clearInterval(timer);
  }, [work, everyMs]);
}
