import { setTimeout as sleep } from 'node:timers/promises';
import { askDoor, type Machine } from './mesh.ts';

export interface LoadReport {
  sent: number;
  /** What was not answered with 200: a status, or the name of the error. */
  failed: string[];
  /** The longest answer (ms). */
  slowestMs: number;
}

export interface Load {
  stop: () => Promise<LoadReport>;
}

/** Calls a second through a registered API, half of them POST, at fixed moments however slow the answers are. */
export function startLoad(machine: Machine, perSecond: number): Load {
  const pending: Promise<void>[] = [];
  const failed: string[] = [];
  let running = true;
  let slowestMs = 0;
  const begun = performance.now();

  const one = async (i: number) => {
    const sentAt = performance.now();
    try {
      const body = i % 2 === 0 ? { body: { i } } : {};
      const { status, body: text } = await askDoor(machine.forward('/echo'), {
        headers: machine.auth,
        ...body,
      });
      if (status !== 200) failed.push(`${status} ${text.slice(0, 200)}`);
    } catch (err) {
      failed.push(String((err as NodeJS.ErrnoException).code ?? err));
    }
    slowestMs = Math.max(slowestMs, performance.now() - sentAt);
  };
  const loop = (async () => {
    for (let i = 0; running; i++) {
      const due = begun + (i * 1000) / perSecond;
      const wait = due - performance.now();
      if (wait > 0) await sleep(wait);
      pending.push(one(i));
    }
  })();
  return {
    stop: async () => {
      running = false;
      await loop;
      await Promise.all(pending);
      return { sent: pending.length, failed, slowestMs };
    },
  };
}
