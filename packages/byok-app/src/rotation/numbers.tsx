import type { RotationStatus } from '@zeq/contracts';
import type { ReactNode } from 'react';
import { Moment } from '../ui/time.tsx';

/** How far it is, in figures. */
export function Numbers({ status }: { status: RotationStatus }) {
  const fact = (label: string, value: ReactNode) => (
    <div>
      <dt>{label}</dt>
      <dd className="numbers">{value}</dd>
    </div>
  );
  return (
    <dl className="facts">
      {fact('Moved', `${status.rows_done.toLocaleString()} of ${status.rows_total.toLocaleString()}`)}
      {fact('Left', status.rows_left.toLocaleString())}
      {fact('Need a new header', status.rows_failed.toLocaleString())}
      {fact(
        'Rate',
        status.rows_per_second === null
          ? '–'
          : `${Math.round(status.rows_per_second).toLocaleString()} a second`,
      )}
      {fact('Current key id', <span className="mono">{status.current_kid}</span>)}
      {fact('Previous key id', <span className="mono">{status.previous_kid ?? 'none'}</span>)}
      {status.started_at && fact('Started', <Moment at={status.started_at} />)}
      {status.finished_at && fact('Finished', <Moment at={status.finished_at} />)}
    </dl>
  );
}
