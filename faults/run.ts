// Hurts a running mesh in named ways and judges what comes of it:
//   node faults/run.ts [F1 F12 …] [--whole] [--seed N] [--pglite] [--patience N]
// Short forms of all experiments by default; --whole is the long form. A seed that fails is said, and fails again.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { EXPERIMENTS } from './experiments/index.ts';
import { hasPostgres, Postgres } from './src/postgres.ts';
import { runExperiment } from './src/run-experiment.ts';
import { lineOf } from './src/verdict.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    whole: { type: 'boolean', default: false },
    pglite: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    patience: { type: 'string', default: '1' },
  },
});
const say = (text: string) => void process.stdout.write(`${text}\n`);
const wanted = new Set(positionals.map((name) => name.toUpperCase()));
const unknown = [...wanted].filter((name) => !EXPERIMENTS.some((each) => each.name === name));
if (unknown.length > 0) throw new Error(`there is no experiment ${unknown.join(', ')}`);

// Services end with us by themselves, and PostgreSQL when this process exits instead of being ended.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const seed = Number(values.seed);
const onPglite = values.pglite || !hasPostgres();
say(`seed ${seed}, ${values.whole ? 'whole' : 'short'} forms, on ${onPglite ? 'PGlite' : 'PostgreSQL'}`);
const server = onPglite ? undefined : await Postgres.start();
const failed: string[] = [];
try {
  for (const experiment of EXPERIMENTS) {
    if (wanted.size > 0 && !wanted.has(experiment.name)) continue;
    const begun = performance.now();
    say(`${experiment.name}: ${experiment.injects}`);
    if (experiment.needsPostgres && server === undefined) {
      say('  needs PostgreSQL and cannot be judged without it');
      failed.push(experiment.name);
      continue;
    }
    const { whole } = values;
    const verdict = await runExperiment(experiment, {
      whole,
      seed,
      patience: Number(values.patience),
      server,
      say,
    });
    for (const finding of verdict.findings) say(lineOf(finding));
    say(
      `${experiment.name} ${verdict.holds ? 'passed' : 'FAILED'} in ${Math.round((performance.now() - begun) / 1_000)} s`,
    );
    if (!verdict.holds) failed.push(experiment.name);
  }
} finally {
  await server?.stop();
}
say(failed.length === 0 ? 'all passed' : `FAILED with seed ${seed}: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
