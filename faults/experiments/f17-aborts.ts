import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Usage } from '@zeq/contracts';
import { WebSocket } from 'ws';
import { until } from '../../e2e/src/until.ts';
import type { Experiment, Stage } from '../src/experiment.ts';
import { gauge } from '../src/judge/baseline.ts';
import { CALL_ID } from '../src/upstream.ts';

const AT_ONCE = 20;
const NOTICED_MS = 250;

export const callersLeave: Experiment = {
  name: 'F17',
  injects: 'callers that leave before the answer, in their upload, in a stream, in a WebSocket',
  passes:
    'the upstream sees the close within 250 ms; open calls, sockets and timers are back to zero within 1 s; usage counts every one as aborted',
  rates: { forwardsPerSecond: 0, sockets: 0 },
  async run(stage) {
    const { pick } = stage;
    const times = pick(40, 1_000);
    await sleep(pick(500, 12_000)); // connections and timers of the beginning are gone
    const before = await remains(stage);
    await leaveOften(stage, 'before the answer', times, (id) => raw(stage, id, 'GET /late?ms=20000'));
    await leaveOften(stage, 'in the upload', times, (id) =>
      raw(stage, id, 'POST /echo', 'Content-Length: 100000'),
    );
    await leaveOften(stage, 'in a stream', times, (id) =>
      raw(stage, id, 'GET /stream?ms=20000', undefined, 'line '),
    );
    await leaveOften(stage, 'in a WebSocket', times, (id) => openSocket(stage, id));
    await judgeRemains(stage, before);
    await judgeUsage(stage, times * 4);
    return { faults: [] };
  },
};

/** What a call holds while it is open, by name. */
type Remains = Record<string, number>;

async function remains({ mesh, upstream }: Stage): Promise<Remains> {
  const timers = (service: 'gateway' | 'forwarder') =>
    gauge(mesh, 'nodejs_active_resources{', { service, labels: 'type="Timeout"' });
  const [calls, connections, forwarderTimers, gatewayCalls, gatewayTimers, upstreamConnections] =
    await Promise.all([
      gauge(mesh, 'zeq_forward_calls_open'),
      gauge(mesh, 'zeq_upstream_connections'),
      timers('forwarder'),
      gauge(mesh, 'zeq_gateway_calls_in_flight', { service: 'gateway' }),
      timers('gateway'),
      upstream.connections(),
    ]);
  return { calls, connections, forwarderTimers, gatewayCalls, gatewayTimers, upstreamConnections };
}

/** A timer that runs now and then may just be there. */
const MORE: Remains = { forwarderTimers: 3, gatewayTimers: 3 };

async function judgeRemains(stage: Stage, before: Remains): Promise<void> {
  const more = (now: Remains) =>
    Object.entries(now).filter(([name, count]) => count > before[name]! + (MORE[name] ?? 0));
  let now = await remains(stage);
  const tookMs = await until(async () => {
    now = await remains(stage);
    return more(now).length === 0;
  }, 10_000).catch(() => Number.POSITIVE_INFINITY);
  stage.verdict.none('what calls that were left still hold', more(now));
  stage.verdict.within('open calls, sockets and timers are as before', [tookMs], 1_000);
}

/** Nobody else calls this API, so what its owner is shown is exact. */
async function judgeUsage({ tenant, verdict }: Stage, left: number): Promise<void> {
  let seen = 0;
  const look = async () => {
    const answer = await tenant.call('GET', `/api/zeq/apis/${tenant.slug}/steady/usage`);
    seen = ((await answer.json()) as Usage).total.aborted;
    return seen === left;
  };
  await until(look, 5_000).catch(() => undefined); // judged below, either way
  verdict.that(`its usage counts all ${left} of them as aborted`, seen === left, seen);
}

type Leave = () => void;

/** @param open Makes one call and resolves when it is in the right state; what it returns leaves. */
async function leaveOften(
  { upstream, verdict }: Stage,
  where: string,
  times: number,
  open: (id: string) => Promise<Leave>,
): Promise<void> {
  const noticed: number[] = [];
  for (let done = 0; done < times; done += AT_ONCE) {
    const one = async (n: number) => {
      const id = `leave ${where} ${n}`.replaceAll(' ', '-');
      const leave = await open(id);
      await until(() => upstream.arrivals.has(id), 10_000);
      await sleep(20);
      const leftAt = performance.now();
      leave();
      await until(() => upstream.arrivals.get(id)?.leftAt !== undefined, 20_000);
      noticed.push(upstream.arrivals.get(id)!.leftAt! - leftAt);
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, times - done) }, (_, i) => one(done + i)));
  }
  verdict.within(`left ${where}: the upstream sees it`, noticed, NOTICED_MS);
}

/** A request on a bare connection, so that it can be left at any byte. */
async function raw(
  { mesh, tenant }: Stage,
  id: string,
  line: string,
  header?: string,
  awaited?: string,
): Promise<Leave> {
  const [method, path] = line.split(' ') as [string, string];
  const socket = connect(Number(new URL(mesh.gateway).port), '127.0.0.1');
  const head = [
    `${method} ${new URL(tenant.forward).pathname}${path} HTTP/1.1`,
    'Host: mesh',
    `Authorization: ${tenant.headers.authorization}`,
    `${CALL_ID}: ${id}`,
    ...(header === undefined ? [] : [header]),
  ];
  socket.on('error', () => socket.destroy()); // the other end closes too; nothing is expected here any more
  socket.write(`${head.join('\r\n')}\r\n\r\n${header === undefined ? '' : 'the beginning of a body'}`);
  if (awaited !== undefined) await heard(socket, awaited);
  return () => socket.destroy();
}

async function heard(socket: Socket, text: string): Promise<void> {
  let seen = '';
  while (!seen.includes(text)) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    seen += chunk.toString('latin1');
  }
}

async function openSocket({ tenant }: Stage, id: string): Promise<Leave> {
  const socket = new WebSocket(`${tenant.forward.replace(/^http/, 'ws')}/socket`, {
    headers: { ...tenant.headers, [CALL_ID]: id },
  });
  await once(socket, 'open');
  socket.send('hello');
  await once(socket, 'message');
  return () => socket.terminate();
}
