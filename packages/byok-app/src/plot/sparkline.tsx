import { exact } from './format.ts';

const WIDTH = 120;
const HEIGHT = 28;
/** Bars of five minutes: of single ones, on a row of a list, nothing could be seen. */
const MINUTES_PER_BAR = 5;

interface SparklineProps {
  /** By minute, the oldest first. */
  requests: readonly number[];
  errors: readonly number[];
}

/** The last hour of an API at a glance: how much, and how much of it failed. Its words stand beside it. */
export function Sparkline({ requests, errors }: SparklineProps) {
  const bars = grouped(requests);
  const failed = grouped(errors);
  const greatest = Math.max(1, ...bars);
  const width = WIDTH / bars.length;
  const height = (value: number) => (value === 0 ? 0 : Math.max(2, (value / greatest) * (HEIGHT - 2)));
  const [total, wrong] = [sum(requests), sum(errors)];
  return (
    <div className="spark">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="xMinYMid"
        aria-hidden="true"
        focusable="false"
      >
        {bars.map((value, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place in time
          <g key={i}>
            <Bar x={i * width} width={width} height={height(value)} tone="all" />
            <Bar
              x={i * width}
              width={width}
              height={Math.min(height(value), height(failed[i] ?? 0))}
              tone="bad"
            />
          </g>
        ))}
        <line className="spark-floor" x1={0} x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
      </svg>
      <p className="numbers">
        {total === 0 ? (
          <span className="faint">no calls</span>
        ) : (
          <>
            {exact(total)} <span className="muted">{total === 1 ? 'call' : 'calls'}</span>
            {wrong > 0 && <span className="spark-errors"> · {exact(wrong)} failed</span>}
            <span className="sr-only"> in the last hour</span>
          </>
        )}
      </p>
    </div>
  );
}

const Bar = ({ x, width, height, tone }: { x: number; width: number; height: number; tone: string }) =>
  height === 0 ? null : (
    <rect
      className={`spark-${tone}`}
      x={x + 1}
      y={HEIGHT - height}
      width={width - 2}
      height={height}
      rx={1}
    />
  );

function grouped(minutes: readonly number[]): number[] {
  const bars = Array.from({ length: Math.ceil(minutes.length / MINUTES_PER_BAR) }, () => 0);
  for (const [i, value] of minutes.entries()) bars[Math.floor(i / MINUTES_PER_BAR)]! += value;
  return bars;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
