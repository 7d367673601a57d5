import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Rig } from './rig.ts';

/** One step of an upstream's answer. */
export interface Part {
  text?: string;
  times?: number;
  pause_ms?: number;
  close?: true;
  reset?: true;
  drip?: { text: string; every_ms: number; times: number };
}

export interface HostileCase {
  id: string;
  respond: { parts?: Part[]; requests?: number };
  expect: { status: string; body?: string; response_must_not_have?: string[]; response_must_have?: string[] };
}

/** Every case of the list. The one whose chunk states a wrong length is put right: docs/vectors/upstream-hostile.md. */
export function upstreamCases(): HostileCase[] {
  const all = JSON.parse(
    readFileSync(new URL('./vectors/upstream-hostile.json', import.meta.url), 'utf8'),
  ) as HostileCase[];
  for (const { drip } of all.find(({ id }) => id === 'upstream/sse-long')!.respond.parts!)
    if (drip !== undefined) drip.text = drip.text.replace(/^b\r\n/, 'c\r\n');
  return all;
}

/** How an answer is played: its own pauses and counts, or shorter ones. */
export interface Pace {
  pauseMs: (asked: number) => number;
  drip: (asked: { every_ms: number; times: number }) => { everyMs: number; times: number };
}

/** Short pauses stay about what they are, long ones last until the other side has enough; of each drip a few drops fall. */
export const QUICK: Pace = {
  pauseMs: (asked) => (asked > 10_000 ? Number.POSITIVE_INFINITY : Math.min(asked, 30)),
  drip: () => ({ everyMs: 10, times: 5 }),
};

/** Plays an answer on a socket, to its end or until the socket is closed. */
export async function play(socket: Socket, parts: readonly Part[], pace: Pace = QUICK): Promise<void> {
  for (const part of parts) {
    if (socket.destroyed) return;
    if (part.text !== undefined) socket.write(Buffer.from(part.text.repeat(part.times ?? 1), 'latin1'));
    else if (part.close) socket.end();
    else if (part.reset) await flushed(socket).then(() => socket.resetAndDestroy());
    else if (part.pause_ms !== undefined) await pause(socket, pace.pauseMs(part.pause_ms));
    else if (part.drip !== undefined) await drip(socket, part.drip, pace);
  }
}

function pause(socket: Socket, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = Number.isFinite(ms) ? setTimeout(resolve, ms) : undefined;
  socket.once('close', () => {
    clearTimeout(timer);
    resolve();
  });
  return promise;
}

const flushed = (socket: Socket) =>
  new Promise<void>((resolve) => socket.write('', () => setTimeout(resolve, 20)));

async function drip(socket: Socket, asked: NonNullable<Part['drip']>, pace: Pace): Promise<void> {
  const { everyMs, times } = pace.drip(asked);
  for (let drop = 0; drop < times && !socket.destroyed; drop += 1) {
    socket.write(asked.text);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  socket.end(asked.text.includes('\r\n') ? '0\r\n\r\n' : '');
}

export interface Outcome {
  /** The status, or `aborted` when the connection ended before the answer did. */
  status: string;
  body: string;
  raw: string;
}

/** Calls an API on a connection of its own and judges whether the answer was whole. */
export async function callOf(rig: Rig, id: string): Promise<Outcome> {
  let raw: string;
  try {
    raw = await rig.raw(rig.head('GET', id, '/x', ['Connection: close']));
  } catch {
    return { status: 'aborted', body: '', raw: '' };
  }
  const [head = '', body = ''] = splitOnce(raw, '\r\n\r\n');
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  const chunked = /\r\ntransfer-encoding: chunked/i.test(head);
  const noBody = / 304 /.test(head.slice(0, 20));
  const whole =
    noBody || (chunked ? body.endsWith('0\r\n\r\n') : length === undefined || body.length === Number(length));
  const text = chunked ? body.replace(/^[0-9a-f]+\r\n/gim, '').replace(/\r\n/g, '') : body;
  return { status: head === '' || !whole ? 'aborted' : head.slice(9, 12), body: text, raw };
}

function splitOnce(text: string, mark: string): string[] {
  const at = text.indexOf(mark);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + mark.length)];
}
