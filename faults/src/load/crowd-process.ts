// Callers in a process of their own, so that they take no time from who measures:
//   fork(crowd-process.ts, [CrowdOrder as JSON])
// It says when it is ready, begins at the parent's first message, and sends the outcome of every call when all have ended; a second message
// makes those that are open leave.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CrowdCall, CrowdOrder } from './crowd.ts';

const { port, head, count, overMs } = JSON.parse(process.argv[2]!) as CrowdOrder;
const sockets: Socket[] = [];
process.send!('ready');
await once(process, 'message');
process.once('message', () => {
  for (const socket of sockets) socket.destroy();
});

const calls: Promise<CrowdCall>[] = [];
for (let n = 0; n < count; n += 1) {
  calls.push(call());
  if (overMs > 0) await sleep(overMs / count);
}
process.send!(await Promise.all(calls), () => process.exit());

/** One call on a connection of its own, until its answer has begun and the connection has ended. */
function call(): Promise<CrowdCall> {
  const startedAt = performance.now();
  const { promise, resolve } = Promise.withResolvers<CrowdCall>();
  let text = '';
  let headMs = Number.POSITIVE_INFINITY;
  const socket = connect(port, '127.0.0.1', () => socket.write(head));
  sockets.push(socket);
  socket.on('data', (chunk) => {
    headMs = Math.min(headMs, performance.now() - startedAt);
    text += chunk.toString('latin1');
  });
  socket.on('error', () => socket.destroy()); // its close follows, and counts
  socket.on('close', () => {
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
    const code = /^x-zeq-error: (\S+)/im.exec(text)?.[1] ?? '';
    resolve({ status, code, headMs, endMs: performance.now() - startedAt });
  });
  return promise;
}
