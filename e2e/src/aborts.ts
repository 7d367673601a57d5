import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type AbortUpstream, STAGES, type Stage } from './abort-upstream.ts';
import { readMetrics } from './metrics.ts';
import { dial, headOf, type RawTarget } from './raw-call.ts';
import { until } from './until.ts';

export interface AbortReport {
  stage: Stage;
  /** From the moment when the caller left to the one when the upstream's connection closed (ms), one for each call. */
  closeMs: number[];
  /** Until nothing of them was left in gateway and forwarder (ms). */
  settledMs: number;
}

export interface AbortRun {
  upstream: AbortUpstream;
  target: RawTarget;
  /** Where gateway and forwarder state their figures. */
  ports: { gateway: number; forwarder: number };
  /** Callers of each stage. */
  calls: number;
  atOnce: number;
}

/** How long anything may take before the run is given up (ms): a hang, not a measure. */
const GIVE_UP_MS = 30_000;
const UPLOAD_BYTES = 1_000_000;

/** Lets callers leave at every stage of a call, and sees what becomes of it on the other side. */
export async function runAborts(run: AbortRun): Promise<AbortReport[]> {
  const reports: AbortReport[] = [];
  for (const stage of STAGES) {
    const closeMs: number[] = [];
    for (let done = 0; done < run.calls; done += run.atOnce) {
      const wave = Math.min(run.atOnce, run.calls - done);
      const times = Array.from({ length: wave }, (_, n) => abortOne(run, stage, `/${stage}/${done + n}`));
      closeMs.push(...(await Promise.all(times)));
    }
    reports.push({ stage, closeMs, settledMs: await untilSettled(run) });
  }
  return reports;
}

async function abortOne({ upstream, target }: AbortRun, stage: Stage, path: string): Promise<number> {
  const socket = await dial(target.port);
  const arrived = upstream.arrival(path);
  socket.write(BEGIN[stage](target, path));
  await arrived;
  if (stage === 'mid-stream' || stage === 'mid-websocket') await answerBegins(socket);
  const leftAt = performance.now();
  socket.destroy();
  await until(() => upstream.closedAt.has(path), GIVE_UP_MS);
  return upstream.closedAt.get(path)! - leftAt;
}

const BEGIN: Record<Stage, (target: RawTarget, path: string) => string> = {
  'before-headers': (target, path) => headOf(target, 'GET', path),
  'mid-upload': (target, path) =>
    headOf(target, 'POST', path, [`Content-Length: ${UPLOAD_BYTES}`]) + 'x'.repeat(UPLOAD_BYTES / 10),
  'mid-stream': (target, path) => headOf(target, 'GET', path),
  'mid-websocket': (target, path) =>
    headOf(target, 'GET', path, [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ]),
};

/** @throws Error when something else came than the stage is about. */
async function answerBegins(socket: Socket): Promise<void> {
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  const line = chunk.toString('latin1').split('\r\n', 1)[0]!;
  if (!/ (?:200|101) /.test(line)) throw new Error(`the gateway answered ${line}`);
}

async function untilSettled({ upstream, ports }: AbortRun): Promise<number> {
  return until(async () => {
    const [gateway, forwarder] = [await readMetrics(ports.gateway), await readMetrics(ports.forwarder)];
    const left =
      gateway('zeq_gateway_calls_in_flight') +
      forwarder('zeq_forward_calls_open') +
      forwarder('zeq_upstream_connections');
    return left + upstream.connections === 0;
  }, GIVE_UP_MS);
}
