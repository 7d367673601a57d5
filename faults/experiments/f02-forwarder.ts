import { setTimeout as sleep } from 'node:timers/promises';
import type { Experiment } from '../src/experiment.ts';
import { recoveries } from '../src/judge/calls.ts';
import { killAtRandom } from '../src/kill-at-random.ts';

export const forwarderKilled: Experiment = {
  name: 'F2',
  injects: 'SIGKILL of the forwarder at random moments',
  passes: 'only calls in flight fail; the next success within 2 s; no POST reaches the upstream twice',
  async run(stage) {
    const { verdict, load, pick } = stage;
    const faults = await killAtRandom(stage, 'forwarder', pick(2, 20));
    await sleep(500);
    verdict.within('first success after a kill', recoveries(load.calls, faults, ['forward']), 2_000);
    return {
      faults,
      mayRefuse: ({ kind, detail }) =>
        ['forward', 'stream'].includes(kind) && detail === 'service_unavailable',
    };
  },
};
