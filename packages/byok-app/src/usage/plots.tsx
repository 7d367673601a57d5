import type { Usage } from '@zeq/contracts';
import { useMemo, useState } from 'react';
import { bytes, duration, exact, percent, short } from '../plot/format.ts';
import { Plot, type TimeAxis } from '../plot/plot.tsx';
import { byteSeries, latencySeries, statusSeries, tokenSeries } from './series.ts';

const exactBytes = (value: number): string => `${exact(value)} B`;
const exactMs = (value: number): string => `${value.toFixed(value < 100 ? 2 : 0)} ms`;

/** Four plots over one axis of time: the moment that is looked at in one is looked at in all. */
export function Plots({ usage }: { usage: Usage }) {
  const { total, buckets } = usage;
  const axis = useAxis(usage);
  const status = useMemo(() => statusSeries(buckets), [buckets]);
  const latency = useMemo(() => latencySeries(buckets), [buckets]);
  const traffic = useMemo(() => byteSeries(buckets), [buckets]);
  const tokens = useMemo(() => tokenSeries(buckets), [buckets]);
  const all = { axis, value: short, exactValue: exact };
  return (
    <div className="plots">
      <Plot
        {...all}
        kind="bars"
        title="Requests"
        summary={`${exact(total.requests)}, ${percent(total.errors, total.requests)} failed`}
        series={status}
      />
      <Plot
        {...all}
        kind="lines"
        title="Latency"
        summary={total.latency_ms ? `half of the calls within ${duration(total.latency_ms.p50)}` : 'none'}
        series={latency}
        counted="divisible"
        value={duration}
        exactValue={exactMs}
      />
      <Plot
        {...all}
        kind="bars"
        title="Traffic"
        summary={`${bytes(total.bytes_in + total.bytes_out)} in all`}
        series={traffic}
        value={bytes}
        counted="bytes"
        exactValue={exactBytes}
      />
      {total.tokens_in + total.tokens_out > 0 && (
        <Plot
          {...all}
          kind="bars"
          title="Model tokens"
          summary={`${exact(total.tokens_in)} in, ${exact(total.tokens_out)} out`}
          series={tokens}
        />
      )}
    </div>
  );
}

function useAxis({ buckets, from, to, step }: Usage): TimeAxis {
  const [moment, setMoment] = useState<string | null>(null);
  const at = useMemo(() => buckets.map((bucket) => bucket.at), [buckets]);
  // the moment is kept, not its place: buckets move on while somebody looks
  const found = moment === null ? -1 : at.indexOf(moment);
  return {
    step,
    at,
    fromMs: Date.parse(from),
    toMs: Date.parse(to),
    chosen: found === -1 ? null : found,
    choose: (index) => setMoment(index === null ? null : (at[index] ?? null)),
  };
}
