import { readFileSync } from 'node:fs';
import type { Visit } from './measure.ts';
import { machineName } from './proc.ts';
import type { StreamTimes } from './sse.ts';
import { median } from './stats.ts';

/** A contender's visit and the reference's, taken one after the other. */
export interface Round {
  own: Visit;
  reference: Visit;
}

export interface ContenderResult {
  id: string;
  label: string;
  /** Rounds over sixteen connections, and over one. */
  many: Round[];
  one: Round[];
  streams: StreamTimes;
}

export interface Results {
  rounds: number;
  seconds: number;
  direct: ContenderResult;
  contenders: ContenderResult[];
}

/** The results as a Markdown section: where and how, then one table. */
export function reportOf(results: Results): string {
  const { direct, contenders } = results;
  const quiet = median(contenders.flatMap(({ many }) => many.map(({ own }) => own.foreign)));
  return [
    `${machineName()}, ${kernel()}, Node ${process.versions.node}. ${results.rounds} rounds of ${results.seconds} s each; others used ${percent(quiet)} of the machine meanwhile.`,
    '',
    '| contender | CPU µs per request | × nginx in the same round (min–max) | requests/s | p50 added, µs | p99 added, µs | first event added, µs | resident MiB |',
    '|---|---:|---:|---:|---:|---:|---:|---:|',
    ...contenders.map((contender) => rowOf(contender, direct)),
    '',
  ].join('\n');
}

function rowOf({ label, many, one, streams }: ContenderResult, direct: ContenderResult): string {
  const ratios = many.map(({ own, reference }) => own.cpuUs / reference.cpuUs);
  const added = (q: 'p50Us' | 'p99Us') =>
    median(one.map(({ own }) => own[q])) - median(direct.one.map(({ own }) => own[q]));
  const cells = [
    label,
    median(many.map(({ own }) => own.cpuUs)).toFixed(0),
    `${median(ratios).toFixed(1)} (${Math.min(...ratios).toFixed(1)}–${Math.max(...ratios).toFixed(1)})`,
    median(many.map(({ own }) => own.perSecond)).toFixed(0),
    added('p50Us').toFixed(0),
    added('p99Us').toFixed(0),
    (median(streams.firstEventUs) - median(direct.streams.firstEventUs)).toFixed(0),
    (median(many.map(({ own }) => own.rssBytes)) / 2 ** 20).toFixed(0),
  ];
  return `| ${cells.join(' | ')} |`;
}

const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
const kernel = () => `Linux ${readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim()}`;
