import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceName } from '@zeq/contracts';
import type { Stage } from './experiment.ts';
import type { Fault } from './mesh.ts';
import { between } from './random.ts';

/** Kills a service again and again, each time after it was ready and a random while. @returns The kills. */
export async function killAtRandom(
  { mesh, random, say }: Stage,
  name: ServiceName,
  times: number,
): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (let i = 0; i < times; i += 1) {
    await sleep(between(random, 200, 1_500));
    const fault = await mesh.kill(name);
    const readyMs = await mesh.ready(name);
    say(`  ${name} killed (${i + 1} of ${times}), ready after ${Math.round(readyMs)} ms`);
    faults.push({ ...fault, what: `${name} killed (${i + 1})` });
  }
  return faults;
}
