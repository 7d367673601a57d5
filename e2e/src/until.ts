import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits for a fact that another process brings about in its own time.
 *
 * @returns Milliseconds until it was so.
 * @throws Error when it has not come about within `withinMs`.
 */
export async function until(fact: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<number> {
  const start = performance.now();
  while (!(await fact())) {
    if (performance.now() - start > withinMs) throw new Error(`it did not happen within ${withinMs} ms`);
    await sleep(10);
  }
  return performance.now() - start;
}
