import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RawTarget } from './raw-call.ts';

export interface PaceOptions {
  target: RawTarget;
  path: string;
  perSecond: number;
  seconds: number;
}

export interface Paced {
  /** From the moment when a call was due until its answer was whole (ms): one that waits for its turn waits, too. */
  latencyMs: number[];
  /** Statuses, and codes of connections that broke. */
  outcomes: Record<string, number>;
}

/** Calls at a steady pace, whatever becomes of the calls before. */
export async function pace({ target, path, perSecond, seconds }: PaceOptions): Promise<Paced> {
  const agent = new Agent({ keepAlive: true });
  const paced: Paced = { latencyMs: [], outcomes: {} };
  const start = performance.now();
  const calls: Promise<void>[] = [];
  for (let n = 0; n < perSecond * seconds; n += 1) {
    const due = start + (n * 1_000) / perSecond;
    await sleep(Math.max(0, due - performance.now()));
    calls.push(
      callOnce(agent, target, path).then((outcome) => {
        paced.latencyMs.push(performance.now() - due);
        paced.outcomes[outcome] = (paced.outcomes[outcome] ?? 0) + 1;
      }),
    );
  }
  await Promise.all(calls);
  agent.destroy();
  return paced;
}

function callOnce(agent: Agent, { port, forward, token }: RawTarget, path: string): Promise<string> {
  const options = { agent, port, path: forward + path, headers: { authorization: `Bearer ${token}` } };
  return new Promise((resolve) => {
    get(options, (res) => {
      res.on('error', () => resolve('broken'));
      res.resume().on('end', () => resolve(String(res.statusCode)));
    }).on('error', (err: NodeJS.ErrnoException) => resolve(err.code ?? 'broken'));
  });
}
