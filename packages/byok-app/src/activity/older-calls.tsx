import { useEffect, useRef } from 'react';
import { exact } from '../plot/format.ts';
import { Button } from '../ui/button.tsx';

interface OlderCallsProps {
  shown: number;
  hasMore: boolean;
  isLoading: boolean;
  onMore: () => void;
}

/** The foot of the list: older calls come when somebody scrolls there, or on request. */
export function OlderCalls({ shown, hasMore, isLoading, onMore }: OlderCallsProps) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!hasMore || isLoading || ref.current === null) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) onMore();
      },
      { rootMargin: '600px' },
    );
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, [hasMore, isLoading, onMore]);
  return (
    <div className="row spread" ref={ref}>
      <p className="muted numbers">
        {exact(shown)} {shown === 1 ? 'call' : 'calls'}
        {hasMore ? '' : ', all that are kept'}
      </p>
      {hasMore && <Button onClick={onMore}>Older calls</Button>}
    </div>
  );
}
