import type { UsageFigures } from '@zeq/contracts';
import type { ReactNode } from 'react';
import { bytes, duration, exact, percent } from '../plot/format.ts';

/** What it all comes to. */
export function Totals({ total }: { total: UsageFigures }) {
  const { requests, errors, latency_ms: latency } = total;
  return (
    <dl className="totals card numbers">
      <Total label="Requests" note={sentWords(total)}>
        {exact(requests)}
      </Total>
      <Total label="Failed" note={`${exact(errors)} of ${exact(requests)}`} isBad={errors > 0}>
        {percent(errors, requests)}
      </Total>
      <Total
        label="Latency p50"
        note={latency ? `p95 ${duration(latency.p95)} · p99 ${duration(latency.p99)}` : 'no call was sent'}
      >
        {latency ? duration(latency.p50) : '–'}
      </Total>
      <Total label="Received" note={`${bytes(total.bytes_in)} sent`}>
        {bytes(total.bytes_out)}
      </Total>
      <Total label="Model tokens" note={`${exact(total.tokens_in)} in · ${exact(total.tokens_out)} out`}>
        {exact(total.tokens_in + total.tokens_out)}
      </Total>
    </dl>
  );
}

function sentWords({ sent, websockets, aborted }: UsageFigures): string {
  const parts = [`${exact(sent)} reached the upstream`];
  if (websockets > 0) parts.push(`${exact(websockets)} sockets`);
  if (aborted > 0) parts.push(`${exact(aborted)} left early`);
  return parts.join(' · ');
}

interface TotalProps {
  label: string;
  note: string;
  isBad?: boolean;
  children: ReactNode;
}

const Total = ({ label, note, isBad = false, children }: TotalProps) => (
  <div>
    <dt>{label}</dt>
    <dd>
      <strong className={isBad ? 'bad' : undefined}>{children}</strong>
      <span className="faint">{note}</span>
    </dd>
  </div>
);
