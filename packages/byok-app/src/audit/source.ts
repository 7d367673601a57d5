import { ApiProblem } from '../api/client.ts';
import { auditApi, clockApi } from '../api/mesh.ts';
import { knownKey } from '../clock/known-key.ts';
import type { CallSource } from './verify-call.ts';
import type { RecordSource } from './verify-record.ts';

/** A little more than half a Zeqond. */
const WAIT_MS = 450;
/** Of one head; the first is nearly always the one. */
const TICKS = 20;
const LATEST = 3;

/** The mesh, as what is verified is asked from it. @param onWait It takes longer than the questions do. */
export function sourceOf(
  slug: string,
  ref: string,
  signal: AbortSignal,
  onWait: () => void,
): CallSource & RecordSource {
  return {
    record: (number) => orNone(404, auditApi.list(slug, ref, { call: number }, signal)),
    growth: (since) => orNone(400, auditApi.growth(since, signal)),
    ticksAfter: async (zeqond) =>
      (await clockApi.chain({ from_zeqond: zeqond + 1, limit: TICKS }, signal)).ticks,
    latestTicks: async () => {
      const { chain } = await clockApi.status(signal);
      if (chain === null) return [];
      return (await clockApi.chain({ from: Math.max(1, chain.depth - LATEST + 1) }, signal)).ticks;
    },
    knownKey,
    wait: () => {
      onWait();
      return pause(WAIT_MS, signal);
    },
  };
}

/** What an answer of this status says is that there is none. */
const orNone = <T>(status: number, answer: Promise<T>): Promise<T | undefined> =>
  answer.catch((err: unknown) => {
    if (err instanceof ApiProblem && err.status === status) return undefined;
    throw err;
  });

/** @throws the reason of the signal. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
