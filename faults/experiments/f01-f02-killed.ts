import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceName, Usage } from '@zeq/contracts';
import type { Experiment, Stage } from '../src/experiment.ts';
import { type CallRules, recoveries, wasInFlight } from '../src/judge/calls.ts';
import { isForward } from '../src/judge/leases.ts';
import { killAtRandom } from '../src/kill-at-random.ts';
import type { Call } from '../src/load/call.ts';
import type { Fault } from '../src/mesh.ts';

/** A service on the road of every call, and what the calls may meet while it is away. */
const killed = (
  service: ServiceName,
  {
    name,
    passes,
    meanwhile,
    judge = async () => undefined,
  }: Pick<Experiment, 'name' | 'passes'> & {
    meanwhile: Omit<CallRules, 'faults'>;
    judge?: (stage: Stage, faults: readonly Fault[]) => Promise<void>;
  },
): Experiment => ({
  name,
  injects: `SIGKILL of the ${service} at random moments`,
  passes,
  async run(stage) {
    const { verdict, load, pick } = stage;
    const faults = await killAtRandom(stage, service, pick(2, 20));
    await sleep(500);
    verdict.within('first success after a kill', recoveries(load.calls, faults, ['forward']), 2_000);
    await judge(stage, faults);
    return { faults, ...meanwhile };
  },
});

export const gatewayKilled = killed('gateway', {
  name: 'F1',
  passes: 'only calls in flight fail, visibly; the next success within 2 s',
  meanwhile: { gatewayAway: true },
});

export const forwarderKilled = killed('forwarder', {
  name: 'F2',
  passes:
    'only calls in flight fail; the next success within 2 s; no POST reaches the upstream twice; usage lacks only calls in flight, the access log those of the last quarter of a second too',
  judge: judgeRecords,
  meanwhile: {
    mayRefuse: ({ kind, detail }) => ['forward', 'stream'].includes(kind) && detail === 'service_unavailable',
  },
});

/** Lines of the access log are written together, this far apart (ms): what a killed process has not written is lost. */
const UNWRITTEN_MS = 250;
/** Until what has ended is reported, from the journal of a killed forwarder too (ms). */
const REPORTED_WITHIN_MS = 3_000;

/** Calls that end while the two sides are counted. */
const AT_THE_EDGE = 4;
const SENT_POST = /"msg":"request".*"method":"POST".*"decision":"owner; api_[^"]*; header"/;

/** What the upstream has seen is in the access log, and in usage, but for what each kill may have cost. */
async function judgeRecords(
  { mesh, tenant, load, upstream, verdict }: Stage,
  faults: readonly Fault[],
): Promise<void> {
  const calls = load.calls.filter(({ id, kind }) => isForward(kind) && upstream.arrivals.has(id));
  const inFlightOf = (among: readonly Call[], beforeMs = 0) =>
    among.filter((call) => faults.some((fault) => wasInFlight(call, { ...fault, at: fault.at - beforeMs })))
      .length;
  const posts = calls.filter(({ kind }) => kind === 'forward');
  const log = readFileSync(join(mesh.logFolder, 'forwarder.log'), 'utf8');
  const logged = log.split('\n').filter((line) => SENT_POST.test(line)).length;
  const unwritten = inFlightOf(posts, UNWRITTEN_MS);
  verdict.that(
    'the access log has the calls that the upstream saw, but for those in flight at a kill and those of a quarter of a second before it',
    Math.abs(logged - posts.length) <= unwritten + AT_THE_EDGE,
    `${logged} lines, ${posts.length} calls, ${unwritten} may be missing`,
  );
  await sleep(REPORTED_WITHIN_MS);
  const answer = await tenant.call('GET', `/api/zeq/apis/${tenant.slug}/steady/usage`);
  const { sent, websockets } = ((await answer.json()) as Usage).total;
  verdict.that(
    'usage has them, but for those',
    sent - websockets >= calls.length - inFlightOf(calls),
    `${sent - websockets} of ${calls.length}, ${inFlightOf(calls)} in flight`,
  );
}
