import { setTimeout as sleep } from 'node:timers/promises';
import type { Experiment } from '../src/experiment.ts';
import { recoveries } from '../src/judge/calls.ts';
import { killAtRandom } from '../src/kill-at-random.ts';

export const gatewayKilled: Experiment = {
  name: 'F1',
  injects: 'SIGKILL of the gateway at random moments',
  passes: 'only calls in flight fail, visibly; the next success within 2 s',
  async run(stage) {
    const { verdict, load, pick } = stage;
    const faults = await killAtRandom(stage, 'gateway', pick(2, 20));
    await sleep(500);
    verdict.within('first success after a kill', recoveries(load.calls, faults, ['forward']), 2_000);
    return { faults, gatewayAway: true };
  },
};
