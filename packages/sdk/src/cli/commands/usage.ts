import type { ActivityEntry, Usage, UsageFigures } from '@zeq/contracts';
import type { Command, Options, OptionValues } from '../command.ts';
import { bytesText, facts, table } from '../output.ts';
import { write } from '../terminal/terminal.ts';

const STEPS = ['minute', 'hour', 'day'] as const;
const RANGE: Options = {
  from: {
    type: 'string',
    value: 'TIME',
    text: 'from when, such as 2030-01-31T00:00:00Z (default: an hour before)',
  },
  to: { type: 'string', value: 'TIME', text: 'until when (default: now)' },
  step: { type: 'string', value: 'STEP', choices: STEPS, text: 'how wide each row is' },
};
const CSV: Options = { csv: { type: 'boolean', text: 'print CSV' } };
const SHOWN = 50;

export const usage: Command = {
  name: 'usage',
  args: '[api]',
  summary: 'how much was called: of one API over time, or the last hour of all',
  options: { ...RANGE, ...CSV },
  examples: ['zeq usage', 'zeq usage openai --from 2030-01-01T00:00:00Z --step day'],
  async run({ args, options, client, show, terminal }) {
    const mesh = await client();
    const [api] = args;
    if (api === undefined) {
      const [summary, list] = await Promise.all([mesh.usage.summary(), mesh.apis.list()]);
      const nameOf = new Map(list.map(({ id, name }) => [id as string, name]));
      const rows = summary.apis.map(({ api_id, requests, errors }) => [
        nameOf.get(api_id) ?? api_id,
        String(sum(requests)),
        String(sum(errors)),
      ]);
      return show(summary, table(['api (last hour)', 'requests', 'errors'], rows));
    }
    const query = rangeOf(options);
    if (options.flag('csv')) return write(terminal.stdout, await mesh.usage.csv(api, query));
    const answer = await mesh.usage.of(api, query);
    return show(answer, usageText(answer));
  },
};

export const activity: Command = {
  name: 'activity',
  args: '<api>',
  summary: 'the latest calls of an API, one by one; never a query, a header or a body',
  options: {
    limit: { type: 'string', value: 'N', text: `how many (default: ${SHOWN})` },
    outcome: {
      type: 'string',
      value: 'OUTCOME',
      choices: ['ok', 'aborted', 'refused', 'broken'],
      text: 'only calls that ended so',
    },
    path: { type: 'string', value: 'TEXT', text: 'only calls whose path holds this' },
    ...CSV,
  },
  examples: ['zeq activity openai --outcome refused'],
  async run({ args, options, client, show, terminal }) {
    const mesh = await client();
    const [limit, path] = [options.whole('limit', { min: 1, max: 10_000 }), options.text('path')];
    const outcome = options.text('outcome') as ActivityEntry['outcome'] | undefined; // one of the choices
    const query = { ...(outcome && { outcome }), ...(path && { path }) };
    if (options.flag('csv'))
      return write(
        terminal.stdout,
        await mesh.usage.activityCsv(args[0]!, { ...query, ...(limit && { limit }) }),
      );
    const page = await mesh.usage.activity(args[0]!, { ...query, limit: limit ?? SHOWN });
    return show(page, table(['at', 'caller', 'call', 'status', 'ms', 'said no'], page.entries.map(rowOf)));
  },
};

function rangeOf(options: OptionValues): { from?: string; to?: string; step?: (typeof STEPS)[number] } {
  const [from, to, step] = [options.text('from'), options.text('to'), options.text('step')];
  return {
    ...(from && { from }),
    ...(to && { to }),
    ...(step && { step: step as (typeof STEPS)[number] }), // one of the choices
  };
}

function usageText({ from, to, total, buckets }: Usage): string {
  const rows = buckets
    .filter(({ requests }) => requests > 0)
    .map((bucket) => [bucket.at, ...columnsOf(bucket)]);
  const heading = ['at', 'requests', 'errors', 'p50 ms', 'p99 ms', 'in', 'out', 'model tokens'];
  return `${facts([
    ['from', from],
    ['to', to],
    ['requests', total.requests],
    ['errors', total.errors],
  ])}\n\n${table(heading, [...rows, ['total', ...columnsOf(total)]])}`;
}

const columnsOf = (figures: UsageFigures): string[] => [
  String(figures.requests),
  String(figures.errors),
  figures.latency_ms?.p50.toFixed(1) ?? '-',
  figures.latency_ms?.p99.toFixed(1) ?? '-',
  bytesText(figures.bytes_in),
  bytesText(figures.bytes_out),
  String(figures.tokens_in + figures.tokens_out),
];

const rowOf = (entry: ActivityEntry): string[] => [
  entry.at,
  entry.caller.name ?? entry.caller.id,
  `${entry.method} ${entry.path}`,
  entry.status === null ? entry.outcome : String(entry.status),
  entry.duration_ms.toFixed(1),
  entry.said_no === null ? '' : `${entry.said_no}${entry.code ? ` (${entry.code})` : ''}`,
];

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
