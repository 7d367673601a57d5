import type { ReactNode } from 'react';
import { ShieldIcon, WarnIcon } from '../ui/icons.tsx';
import { Failure } from '../ui/states.tsx';
import { type Fault, faultWords } from './fault.ts';
import type { Verifying } from './use-verdict.ts';
import type { Vouch } from './vouch.ts';

interface VerdictProps<V extends Vouch> {
  verifying: Verifying<V>;
  /** What is being verified: "This call". */
  what: string;
  /** Says it is verified, and in which tick. */
  verified: (verdict: V & { state: 'verified' }) => ReactNode;
  /** What failed, where a sentence for the step does not say all. */
  failed?: (fault: Fault) => ReactNode;
}

/** What came of it, to eye and ear. A failure is told at once; all else when the reader has finished its sentence. */
export function VerdictNote<V extends Vouch>({ verifying, what, verified, failed }: VerdictProps<V>) {
  const { verdict, error, isBusy, run } = verifying;
  const fault = verdict?.state === 'failed' ? verdict.fault : undefined;
  return (
    <>
      <div role="status" className="verdict-calm">
        {fault === undefined && <Calm {...{ verifying, what, verified }} />}
      </div>
      {fault && (
        <div className="notice notice-bad verdict-bad" role="alert" ref={intoView}>
          <WarnIcon />
          <div className="notice-text">
            <strong>NOT verified</strong>
            {failed?.(fault) ?? <p>{faultWords(fault)}</p>}
          </div>
        </div>
      )}
      {error && !isBusy && <Failure error={error} retry={run} />}
    </>
  );
}

function Calm<V extends Vouch>({ verifying, what, verified }: VerdictProps<V>) {
  const { verdict, isBusy, isWaiting } = verifying;
  if (isBusy)
    return (
      <p className="muted">{isWaiting ? 'Waiting for the clock’s next tick …' : 'Checking the proof …'}</p>
    );
  if (verdict?.state === 'verified')
    return (
      <div className="notice notice-ok" ref={intoView}>
        <ShieldIcon />
        <div className="notice-text">
          <strong>Verified</strong>
          {verified(verdict as V & { state: 'verified' })}
        </div>
      </div>
    );
  if (verdict?.state === 'unvouched')
    return (
      <Warning title="No clock vouches for it">
        {what} fits the log, but no clock signs this log, so whoever runs the mesh could have written all of
        it anew.
      </Warning>
    );
  if (verdict?.state === 'waiting')
    return (
      <Warning title="Not yet verified">
        The clock has not signed the log that far. That takes about two seconds while it runs; try again in a
        moment.
      </Warning>
    );
  return null;
}

const Warning = ({ title, children }: { title: string; children: ReactNode }) => (
  <div className="notice notice-warn" ref={intoView}>
    <WarnIcon />
    <div className="notice-text">
      <strong>{title}</strong>
      <p>{children}</p>
    </div>
  </div>
);

/** A dialog may be longer than the screen. */
const intoView = (note: HTMLElement | null): void => note?.scrollIntoView({ block: 'nearest' });
