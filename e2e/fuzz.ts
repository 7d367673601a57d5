// Strange requests to the gateway and strange answers from upstreams, made from the lists of hostile ones, for as long as asked:
//   node e2e/fuzz.ts [--seconds 600] [--seed N] [--from ROUND]
// It prints its seed; with that seed and the number of a round that found something, the round can be played again.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { runFuzz } from './src/fuzz/run.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string' },
    from: { type: 'string', default: '0' },
  },
});
const say = (text: string) => process.stdout.write(`${text}\n`);
const seed = Number(values.seed ?? randomInt(2 ** 31));

say(`seed ${seed}`);
const { rounds, statuses, findings, memory } = await runFuzz({
  seconds: Number(values.seconds),
  seed,
  from: Number(values.from),
  say,
});
for (const { round, what, input } of findings) say(`round ${round}: ${what}\n  ${input}`);
say(`${rounds} rounds, seed ${seed}, ${findings.length} findings, statuses ${JSON.stringify(statuses)}`);
say(`memory in the thirds of the run, MiB: ${JSON.stringify(memory)}`);
process.exit(findings.length === 0 ? 0 : 1);
