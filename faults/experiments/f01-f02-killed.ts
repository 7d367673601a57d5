import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceName } from '@zeq/contracts';
import type { Experiment } from '../src/experiment.ts';
import { type CallRules, recoveries } from '../src/judge/calls.ts';
import { killAtRandom } from '../src/kill-at-random.ts';

/** A service on the road of every call, and what the calls may meet while it is away. */
const killed = (
  service: ServiceName,
  { name, passes, meanwhile }: Pick<Experiment, 'name' | 'passes'> & { meanwhile: Omit<CallRules, 'faults'> },
): Experiment => ({
  name,
  injects: `SIGKILL of the ${service} at random moments`,
  passes,
  async run(stage) {
    const { verdict, load, pick } = stage;
    const faults = await killAtRandom(stage, service, pick(2, 20));
    await sleep(500);
    verdict.within('first success after a kill', recoveries(load.calls, faults, ['forward']), 2_000);
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
  passes: 'only calls in flight fail; the next success within 2 s; no POST reaches the upstream twice',
  meanwhile: {
    mayRefuse: ({ kind, detail }) => ['forward', 'stream'].includes(kind) && detail === 'service_unavailable',
  },
});
