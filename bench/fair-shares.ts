// One tenant's latency, first in quiet and then beside another tenant with very many slow calls:
//   node bench/fair-shares.ts [--slow 2000] [--slow-ms 30000] [--seconds 20] [--rate 50]
// Twice: as an API is by default (200 calls in flight at once; the rest is refused and comes again when it may), and with a
// policy that lets all of them in. At these figures it takes about two minutes.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Paced, pace } from '../e2e/src/pace.ts';
import type { RawTarget } from '../e2e/src/raw-call.ts';
import { keepCalling } from '../e2e/src/slow-calls.ts';
import { startSlowUpstream } from '../e2e/src/start-slow-upstream.ts';
import { newTenant } from '../e2e/src/tenant.ts';
import { openTestMesh } from '../e2e/src/test-mesh.ts';
import { quantile } from './stats.ts';

const { values } = parseArgs({
  options: {
    slow: { type: 'string', default: '2000' },
    'slow-ms': { type: 'string', default: '30000' },
    seconds: { type: 'string', default: '20' },
    rate: { type: 'string', default: '50' },
  },
});
const slow = Number(values.slow);
const seconds = Number(values.seconds);
/** The slow calls begin within this time (ms). */
const RAMP_MS = 5_000;
const say = (text: string) => process.stdout.write(`${text}\n`);

const upstream = await startSlowUpstream();
const mesh = await openTestMesh([`127.0.0.1:${upstream.port}`]);
try {
  const bob = await newTenant(mesh, 'bob', upstream.port);
  const greedy = {
    [`the other has ${slow} slow calls, default policy`]: await newTenant(mesh, 'alice', upstream.port),
    [`the other has ${slow} slow calls, all let in`]: await newTenant(mesh, 'carol', upstream.port, {
      concurrency: 10_000,
    }),
  };
  await measure(bob, 5); // warm
  say('| | calls | p50, ms | p99, ms | p99 × quiet | answers | answers to the other |');
  say('|---|---:|---:|---:|---:|---|---|');
  const quiet = await measure(bob, seconds);
  row('quiet', quiet, quiet);
  for (const [name, target] of Object.entries(greedy)) {
    const calls = await keepCalling(target, `/slow/${values['slow-ms']}`, slow, RAMP_MS);
    await sleep(3_000); // what had to be refused was refused
    row(name, await measure(bob, seconds), quiet, calls.outcomes);
    calls.stop();
    await sleep(3_000);
  }
} finally {
  await mesh.stop();
  await upstream.stop();
}

function measure(target: RawTarget, forSeconds: number): Promise<Paced> {
  return pace({ target, path: '/quick', perSecond: Number(values.rate), seconds: forSeconds });
}

function row(name: string, { latencyMs, outcomes }: Paced, quiet: Paced, others = {}): void {
  const [p50, p99] = [quantile(latencyMs, 0.5), quantile(latencyMs, 0.99)];
  const times = p99 / quantile(quiet.latencyMs, 0.99);
  const cells = [p50.toFixed(1), p99.toFixed(1), times.toFixed(2), JSON.stringify(outcomes)];
  say(`| ${name} | ${latencyMs.length} | ${cells.join(' | ')} | ${JSON.stringify(others)} |`);
}
