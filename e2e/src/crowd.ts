import type { Socket } from 'node:net';
import { dial, headOf, type RawTarget } from './raw-call.ts';
import { until } from './until.ts';

/** Connections that somebody holds open and does nothing good with. */
export interface Crowd {
  /** How many of them are still open. */
  open: () => number;
  leave: () => void;
}

const AT_ONCE = 200;
/** Within this the last of a crowd has to have come in (ms). */
const COME_IN_MS = 60_000;

/** Connections that have made one call each and then say nothing. */
export async function idleCrowd(target: RawTarget, count: number): Promise<Crowd> {
  let answered = 0;
  const crowd = await gather(target.port, count, (socket) => {
    socket.once('data', () => {
      answered += 1;
    });
    socket.write(headOf(target, 'GET', '/quick'));
  });
  await until(() => answered >= count, COME_IN_MS);
  return crowd;
}

/** Connections whose request head never comes to its end: a byte a second. */
export function slowHeadCrowd(target: RawTarget, count: number): Promise<Crowd> {
  return gather(target.port, count, (socket) => {
    socket.write(headOf(target, 'GET', '/quick').slice(0, -2));
    const timer = setInterval(() => socket.write('X'), 1_000);
    socket.once('close', () => clearInterval(timer));
  });
}

/** Connections that ask for a large answer and take only its beginning. */
export async function slowReaderCrowd(target: RawTarget, count: number, bytes: number): Promise<Crowd> {
  let reading = 0;
  const crowd = await gather(target.port, count, (socket) => {
    socket.once('data', () => {
      reading += 1;
      socket.pause();
    });
    socket.write(headOf(target, 'GET', `/big/${bytes}`));
  });
  await until(() => reading >= count, COME_IN_MS);
  return crowd;
}

async function gather(port: number, count: number, begin: (socket: Socket) => void): Promise<Crowd> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const wave = Math.min(AT_ONCE, count - sockets.length);
    const fresh = await Promise.all(Array.from({ length: wave }, () => dial(port)));
    for (const socket of fresh) begin(socket.resume());
    sockets.push(...fresh);
  }
  return {
    open: () => sockets.filter((socket) => !socket.destroyed).length,
    leave: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}
