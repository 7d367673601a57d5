// What crowds cost the mesh, and everybody else: idle connections, heads without end, readers that do not read.
//   node bench/pressure.ts [--idle 10000] [--slow-heads 10000] [--slow-readers 1000] [--seconds 10] [--rate 50]
// The crowds connect to the gateway directly; `ulimit -n` has to allow two descriptors for each of them. About two minutes.
import { parseArgs } from 'node:util';
import { type Crowd, idleCrowd, slowHeadCrowd, slowReaderCrowd } from '../e2e/src/crowd.ts';
import { residentBytes } from '../e2e/src/memory.ts';
import { type Paced, pace } from '../e2e/src/pace.ts';
import { startSlowUpstream } from '../e2e/src/start-slow-upstream.ts';
import { newTenant } from '../e2e/src/tenant.ts';
import { openTestMesh } from '../e2e/src/test-mesh.ts';
import { until } from '../e2e/src/until.ts';
import { quantile } from './stats.ts';

const { values } = parseArgs({
  options: {
    idle: { type: 'string', default: '10000' },
    'slow-heads': { type: 'string', default: '10000' },
    'slow-readers': { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '10' },
    rate: { type: 'string', default: '50' },
  },
});
const BIG_BYTES = 10 * 2 ** 20;
const MIB = 2 ** 20;
const say = (text: string) => process.stdout.write(`${text}\n`);

const upstream = await startSlowUpstream();
const mesh = await openTestMesh([`127.0.0.1:${upstream.port}`]);
try {
  const alice = await newTenant(mesh, 'alice', upstream.port, { concurrency: 10_000 });
  const bob = await newTenant(mesh, 'bob', upstream.port);
  const measure = (seconds: number) =>
    pace({ target: bob, path: '/quick', perSecond: Number(values.rate), seconds });
  await measure(5); // warm
  const quiet = await measure(Number(values.seconds));
  say(
    '| crowd | gateway, MiB (+ KiB each) | forwarder, MiB (+ KiB each) | others p50, ms | others p99, ms | others’ answers |',
  );
  say('|---|---:|---:|---:|---:|---|');
  row('none', 0, residents(), residents(), quiet);
  const crowds: [string, number, (count: number) => Promise<Crowd>, boolean][] = [
    ['idle connections', Number(values.idle), (count) => idleCrowd(alice, count), true],
    ['heads without end', Number(values['slow-heads']), (count) => slowHeadCrowd(alice, count), false],
    [
      'readers of 10 MiB that do not read',
      Number(values['slow-readers']),
      (count) => slowReaderCrowd(alice, count, BIG_BYTES),
      true,
    ],
  ];
  for (const [name, count, gather, stays] of crowds) {
    const before = residents();
    const crowd = await gather(count);
    const during = await measure(Number(values.seconds));
    row(`${count} ${name}`, count, before, residents(), during);
    if (stays) say(`  ${crowd.open()} of ${count} are open`);
    else
      say(
        `  all were closed ${Math.round(await until(() => crowd.open() === 0, 60_000))} ms after the measurement`,
      );
    crowd.leave();
  }
} finally {
  await mesh.stop();
  await upstream.stop();
}

function residents(): { gateway: number; forwarder: number } {
  const { gateway, forwarder } = mesh.mesh.pids();
  return { gateway: residentBytes(gateway!), forwarder: residentBytes(forwarder!) };
}

function row(
  name: string,
  count: number,
  before: { gateway: number; forwarder: number },
  after: { gateway: number; forwarder: number },
  { latencyMs, outcomes }: Paced,
): void {
  const memory = (['gateway', 'forwarder'] as const).map((service) => {
    const each = count === 0 ? 0 : (after[service] - before[service]) / count / 1024;
    return `${(after[service] / MIB).toFixed(0)} (${each.toFixed(1)})`;
  });
  const times = [0.5, 0.99].map((part) => quantile(latencyMs, part).toFixed(1));
  say(`| ${[name, ...memory, ...times, JSON.stringify(outcomes)].join(' | ')} |`);
}
