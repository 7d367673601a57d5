import { type ReactNode, useEffect, useState } from 'react';
import { ApiProblem, Unreachable } from '../api/client.ts';
import type { Resource } from '../api/resource.ts';
import { Button } from './button.tsx';
import { WarnIcon } from './icons.tsx';

interface LoadedProps<T> {
  resource: Resource<T>;
  /** What stands there until the value comes, in the shape of the value, so that nothing jumps. */
  skeleton: ReactNode;
  children: (data: T) => ReactNode;
}

/** A value, its skeleton, or what went wrong; a value that could not be renewed stays, with a line that says so. */
export function Loaded<T>({ resource, skeleton, children }: LoadedProps<T>) {
  const { data, error, reload, isLoading } = resource;
  if (data === undefined && error === undefined) return <div aria-busy="true">{skeleton}</div>;
  return (
    <>
      {error && <Failure error={error} retry={reload} isBusy={isLoading} isStale={data !== undefined} />}
      {data !== undefined && children(data)}
    </>
  );
}

interface FailureProps {
  error: Error;
  retry: () => void;
  isBusy?: boolean;
  isStale?: boolean;
}

/** Says what went wrong in the words of the mesh, and when to try again. A limit that was reached tries again by itself. */
export function Failure({ error, retry, isBusy = false, isStale = false }: FailureProps) {
  const wait = useCountdown(error, retry);
  return (
    <div className={`notice ${isStale ? 'notice-warn' : 'notice-bad'}`} role="alert">
      <WarnIcon />
      <div className="notice-text">
        <strong>{titleOf(error)}</strong>
        <p>{isStale ? `${error.message} What you see may be out of date.` : error.message}</p>
        <RequestId error={error} />
      </div>
      <Button onClick={retry} isBusy={isBusy}>
        {wait > 0 ? `Try again (${wait} s)` : 'Try again'}
      </Button>
    </div>
  );
}

/** The same inside a form: nothing is tried again by itself, and what was written stays. */
export function ProblemNote({ error }: { error: Error }) {
  const wait = useCountdown(error, doNothing);
  return (
    <div className="notice notice-bad" role="alert">
      <WarnIcon />
      <div className="notice-text">
        <p>{error.message}</p>
        {wait > 0 && (
          <p className="numbers" aria-hidden="true">
            You can try again in {wait} s.
          </p>
        )}
        <RequestId error={error} />
      </div>
    </div>
  );
}

function RequestId({ error }: { error: Error }) {
  if (!(error instanceof ApiProblem) || error.status < 500 || error.requestId === null) return null;
  return <p className="faint mono">request {error.requestId}</p>;
}

function titleOf(error: Error): string {
  if (error instanceof Unreachable) return navigator.onLine ? 'No answer' : 'Offline';
  if (!(error instanceof ApiProblem)) return 'Something broke on this page';
  if (error.status === 429) return 'Too many requests';
  if (error.status === 404) return 'Not found';
  return error.status >= 500 ? 'The mesh has a problem' : 'This was refused';
}

const doNothing = () => undefined;

/** Seconds until a limit ends; asks again when they are over. */
function useCountdown(error: Error, retry: () => void): number {
  const seconds = error instanceof ApiProblem ? (error.retryAfterSeconds ?? 0) : 0;
  const [left, setLeft] = useState(seconds);
  useEffect(() => {
    setLeft(seconds);
    if (seconds <= 0) return;
    const until = performance.now() + seconds * 1000;
    const timer = setInterval(() => {
      const rest = Math.ceil((until - performance.now()) / 1000);
      setLeft(Math.max(0, rest));
      if (rest > 0) return;
      clearInterval(timer);
      retry();
    }, 500);
    return () => clearInterval(timer);
  }, [seconds, retry]);
  return left;
}

interface EmptyProps {
  title: string;
  children: ReactNode;
  action?: ReactNode;
  art?: ReactNode;
}

/** Nothing is here yet: what would be, and the way to it. */
export function Empty({ title, children, action, art }: EmptyProps) {
  return (
    <div className="empty">
      {art && <div className="empty-art">{art}</div>}
      <h2>{title}</h2>
      <div className="prose">{children}</div>
      {action}
    </div>
  );
}

/** Grey lines where rows will stand. */
export const SkeletonRows = ({ rows, height = 64 }: { rows: number; height?: number }) => (
  <div className="skeleton-rows" role="status">
    <span className="sr-only">Loading</span>
    {Array.from({ length: rows }, (_, i) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
      <div key={i} className="skeleton" style={{ height }} />
    ))}
  </div>
);
