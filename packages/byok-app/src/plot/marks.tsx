import { memo } from 'react';
import { PAD, type Scale } from './scale.ts';

/** What a plot shows of each bucket. */
export interface Series {
  label: string;
  /** The colour's name in the style sheet: `plot-…`. */
  tone: string;
  /** By bucket; null: nothing to show there, so a line is interrupted. */
  values: readonly (number | null)[];
}

interface MarksProps {
  series: readonly Series[];
  scale: Scale;
}

/** Bars on top of each other: parts of a whole. */
export const StackedBars = memo(function StackedBars({ series, scale }: MarksProps) {
  const gap = scale.slot > 4 ? Math.min(3, scale.slot * 0.2) : 0;
  const width = Math.max(0.5, scale.slot - gap);
  const floors: number[] = [];
  return series.map(({ label, tone, values }) => (
    <g key={label} className={`plot-${tone}`}>
      {values.map((value, i) => {
        const floor = floors[i] ?? 0;
        floors[i] = floor + (value ?? 0);
        if (!value) return null;
        const top = scale.y(floor + value);
        return (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: a bucket is its place in time
            key={i}
            x={scale.x(i) + gap / 2}
            y={top}
            width={width}
            height={Math.max(1, scale.y(floor) - top)}
          />
        );
      })}
    </g>
  ));
});

/** Lines through the middle of each bucket, with a dot where a value stands alone. */
export const Lines = memo(function Lines({ series, scale }: MarksProps) {
  return series.map(({ label, tone, values }) => (
    <g key={label} className={`plot-${tone}`}>
      <path className="plot-line" d={pathOf(values, scale)} />
      {values.map(
        (value, i) =>
          value !== null &&
          isAlone(values, i) && (
            // biome-ignore lint/suspicious/noArrayIndexKey: a bucket is its place in time
            <circle key={i} cx={middle(scale, i)} cy={scale.y(value)} r={2.5} />
          ),
      )}
    </g>
  ));
});

export const middle = (scale: Scale, index: number): number => scale.x(index) + scale.slot / 2;

const isAlone = (values: readonly (number | null)[], i: number): boolean =>
  (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null;

function pathOf(values: readonly (number | null)[], scale: Scale): string {
  return values
    .map((value, i) => {
      if (value === null) return '';
      const command = (values[i - 1] ?? null) === null ? 'M' : 'L';
      return `${command}${middle(scale, i).toFixed(1)} ${scale.y(value).toFixed(1)}`;
    })
    .join('');
}

interface AxesProps {
  scale: Scale;
  value: (value: number) => string;
  /** Place (px) and words of what is named below. */
  moments: readonly (readonly [number, string])[];
}

/** Lines of the grid with their values, and moments below. */
export function Axes({ scale, value, moments }: AxesProps) {
  const right = scale.width - PAD.right;
  return (
    <g className="plot-axes">
      {scale.ticks.map((tick) => (
        <g key={tick}>
          <line x1={PAD.left} x2={right} y1={scale.y(tick)} y2={scale.y(tick)} />
          <text x={PAD.left - 8} y={scale.y(tick) + 4} textAnchor="end">
            {value(tick)}
          </text>
        </g>
      ))}
      {moments.map(([x, words]) => (
        <text key={x} x={x} y={scale.y(0) + 18} textAnchor="middle">
          {words}
        </text>
      ))}
    </g>
  );
}
