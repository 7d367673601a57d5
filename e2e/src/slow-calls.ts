import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { dial, headOf, type RawTarget } from './raw-call.ts';

export interface SlowCalls {
  /** Answers by status or problem code. */
  outcomes: Record<string, number>;
  stop: () => void;
}

/**
 * Keeps so many callers calling, each on a connection of its own: when an answer has come it calls again, and after a refusal
 * when Retry-After has passed, as it was told. No two begin at the same moment.
 *
 * @param overMs Time in which they all begin.
 */
export async function keepCalling(
  target: RawTarget,
  path: string,
  callers: number,
  overMs: number,
): Promise<SlowCalls> {
  const outcomes: Record<string, number> = {};
  const sockets: Socket[] = [];
  const head = headOf(target, 'GET', path);
  for (let n = 0; n < callers; n += 1) {
    const socket = await dial(target.port);
    sockets.push(socket);
    socket.on('data', (chunk) => {
      const answer = chunk.toString('latin1');
      const outcome = /^x-zeq-error: (\S+)/im.exec(answer)?.[1] ?? /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1];
      if (outcome === undefined) return;
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      const waitMs = 1_000 * Number(/^retry-after: (\d+)/im.exec(answer)?.[1] ?? 0);
      setTimeout(() => socket.destroyed || socket.write(head), waitMs);
    });
    socket.write(head);
    await sleep(overMs / callers);
  }
  const stop = () => {
    for (const socket of sockets) socket.destroy();
  };
  return { outcomes, stop };
}
