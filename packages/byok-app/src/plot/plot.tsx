import type { UsageStep } from '@zeq/contracts';
import { useId, useMemo } from 'react';
import { Axes, Lines, middle, type Series, StackedBars } from './marks.tsx';
import { axisMoments, bucketName, utcName } from './moments.ts';
import { HEIGHT, indexAt, PAD, type Scale, scaleOf } from './scale.ts';
import type { Counted } from './ticks.ts';
import { useWidth } from './use-width.ts';

/** Moments in time, all of one length, and the one that is looked at: plots beside each other look at the same one. */
export interface TimeAxis {
  step: UsageStep;
  /** The beginning of each bucket. */
  at: readonly string[];
  fromMs: number;
  toMs: number;
  chosen: number | null;
  choose: (index: number | null) => void;
}

interface PlotProps {
  title: string;
  /** One sentence: what it comes to. */
  summary: string;
  kind: 'bars' | 'lines';
  series: readonly Series[];
  axis: TimeAxis;
  /** On the axis. */
  value: (value: number) => string;
  /** In full. */
  exactValue: (value: number) => string;
  counted?: Counted;
}

/**
 * A plot over time. The moment that is looked at is a native slider laid over it: a pointer, a finger, the arrow keys and a
 * screen reader all reach every exact number.
 */
export function Plot(props: PlotProps) {
  const { title, summary, kind, series, axis, value, counted = 'whole' } = props;
  const [ref, width] = useWidth<HTMLDivElement>();
  const id = useId();
  const [buckets, greatest] = [axis.at.length, greatestOf(props)];
  // the marks are drawn anew only when it changes, not for every move of the pointer
  const scale = useMemo(
    () => scaleOf(width, buckets, greatest, counted),
    [width, buckets, greatest, counted],
  );
  const Marks = kind === 'bars' ? StackedBars : Lines;
  return (
    <section className="card plot" aria-labelledby={id}>
      <div className="plot-head">
        <h2 id={id}>{title}</h2>
        <p className="muted numbers">{summary}</p>
      </div>
      <Readout {...props} />
      <div className="plot-area" ref={ref} onPointerLeave={() => axis.choose(null)}>
        {width > 0 && (
          <svg width={width} height={HEIGHT} aria-hidden="true" focusable="false">
            <Axes scale={scale} value={value} moments={momentsOf(axis, scale)} />
            <Cursor axis={axis} scale={scale} />
            <Marks series={series} scale={scale} />
          </svg>
        )}
        <Slider {...props} scale={scale} />
      </div>
    </section>
  );
}

function greatestOf({ kind, series, axis }: PlotProps): number {
  const sums = axis.at.map((_, i) => {
    const values = series.map((each) => each.values[i] ?? 0);
    return kind === 'bars' ? values.reduce((sum, each) => sum + each, 0) : Math.max(0, ...values);
  });
  return Math.max(0, ...sums);
}

/** Room for a named moment (px). */
const MOMENT_PX = 66;

function momentsOf({ fromMs, toMs, step }: TimeAxis, scale: Scale): [number, string][] {
  const most = Math.max(2, Math.floor(scale.innerWidth / MOMENT_PX));
  return axisMoments(fromMs, toMs, step, most)
    .map(([at, words]): [number, string] => [
      PAD.left + ((at - fromMs) / (toMs - fromMs)) * scale.innerWidth,
      words,
    ])
    .filter(([x]) => x > PAD.left + 8 && x < scale.width - 34);
}

const Cursor = ({ axis: { chosen }, scale }: { axis: TimeAxis; scale: Scale }) =>
  chosen === null ? null : (
    <rect
      className="plot-cursor"
      x={middle(scale, chosen) - Math.max(1, scale.slot) / 2}
      y={PAD.top}
      width={Math.max(1, scale.slot)}
      height={HEIGHT - PAD.top - PAD.bottom}
    />
  );

/** The legend; while a moment is looked at, its exact numbers. It keeps its place, so nothing moves. */
function Readout({ series, axis: { chosen, at, step }, exactValue }: PlotProps) {
  const moment = chosen === null ? undefined : at[chosen];
  return (
    <div className="plot-readout numbers">
      <ul>
        {series.map(({ label, tone, values }) => (
          <li key={label} className={`plot-${tone}`}>
            <i aria-hidden="true" />
            {label}
            {chosen !== null && <strong>{wordsOf(values[chosen], exactValue)}</strong>}
          </li>
        ))}
      </ul>
      <span className="faint" title={moment && utcName(moment)}>
        {moment === undefined ? '' : `${bucketName(moment, step)} · ${utcName(moment)}`}
      </span>
    </div>
  );
}

const wordsOf = (value: number | null | undefined, exactValue: (value: number) => string): string =>
  value === null || value === undefined ? '–' : exactValue(value);

function Slider({ title, series, axis, exactValue, scale }: PlotProps & { scale: Scale }) {
  const { at, chosen, choose, step } = axis;
  const index = chosen ?? at.length - 1;
  const words = series.map(({ label, values }) => `${label} ${wordsOf(values[index], exactValue)}`);
  return (
    <input
      type="range"
      className="plot-slider"
      aria-label={`${title}, moment`}
      aria-valuetext={`${bucketName(at[index] ?? '', step)}: ${words.join(', ')}`}
      min={0}
      max={Math.max(0, at.length - 1)}
      value={index}
      onChange={(event) => choose(Number(event.target.value))}
      onFocus={() => choose(index)}
      onBlur={() => choose(null)}
      onPointerMove={(event) =>
        choose(indexAt(scale, event.clientX - event.currentTarget.getBoundingClientRect().left, at.length))
      }
    />
  );
}
