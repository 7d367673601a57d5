import { setTimeout as sleep } from 'node:timers/promises';
import { CONTENDER_CPU, type Running } from './contenders.ts';
import { chatRequest } from './messages.ts';
import { machineBusyUs, ownBusyUs, usageOf } from './proc.ts';
import { pin } from './processes.ts';
import { readStreams, type StreamTimes } from './sse.ts';
import { runWrk, type Target } from './wrk.ts';

/** One visit of a contender by the load generator. */
export interface Visit {
  requests: number;
  /** Of all processes on the path, per request. */
  cpuUs: number;
  perSecond: number;
  p50Us: number;
  p99Us: number;
  rssBytes: number;
  /** Share of the machine that neither contender nor upstream nor client used, 0..1: others who were busy meanwhile. */
  foreign: number;
}

const CLIENT_CPU = '1';
const BODY = chatRequest();

/**
 * Lets wrk repeat the JSON request. With one connection everything shares one processor: waking another one costs more than
 * the request itself, and would be measured instead of it.
 *
 * @throws Error when a single request was refused or broke: a fast error is no result.
 */
export async function visit(
  running: Running,
  upstreamPids: readonly number[],
  connections: number,
  seconds: number,
): Promise<Visit> {
  const cpus = connections === 1 ? CONTENDER_CPU : CLIENT_CPU;
  pin(upstreamPids, cpus);
  const before = snapshot(running.pids, upstreamPids);
  const result = await runWrk({ target: running.json, body: BODY, connections, seconds, cpus });
  const after = snapshot(running.pids, upstreamPids);
  if (result.refused + result.broken > 0 || result.requests === 0)
    throw new Error(`${result.refused} requests were refused and ${result.broken} broke`);
  const own = after.own - before.own;
  const known = own + (after.upstream - before.upstream) + (after.client - before.client);
  return {
    requests: result.requests,
    cpuUs: own / result.requests,
    perSecond: result.requests / (result.durationUs / 1e6),
    p50Us: result.p50Us,
    p99Us: result.p99Us,
    rssBytes: after.rssBytes,
    foreign: Math.max(0, (after.machine - before.machine - known) / (2 * (after.at - before.at) * 1000)),
  };
}

/** Counters in microseconds of processor time; `at` in milliseconds. */
function snapshot(own: readonly number[], upstream: readonly number[]) {
  const { cpuUs, rssBytes } = usageOf(own);
  return {
    own: cpuUs,
    rssBytes,
    upstream: usageOf(upstream).cpuUs,
    client: ownBusyUs(),
    machine: machineBusyUs(),
    at: performance.now(),
  };
}

/** Times of event streams, read one after the other (`streams` = 1) or side by side. */
export async function listen(target: Target, streams: number, each: number): Promise<StreamTimes> {
  const all = await Promise.all(
    Array.from({ length: streams }, async (_, i) => {
      await sleep((i * 7) % 100); // so that not all events come at the same moment
      return readStreams(target, each);
    }),
  );
  return {
    firstEventUs: all.flatMap((times) => times.firstEventUs),
    eventDelayUs: all.flatMap((times) => times.eventDelayUs),
  };
}
