import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';

export interface Part {
  text?: string;
  times?: number;
  pause_ms?: number;
  drip?: { text: string; every_ms: number; times: number };
  half_close?: true;
  reset?: true;
  wait_for?: string;
  timeout_ms?: number;
  read_rate_bps?: number;
  seconds?: number;
}

export interface RawTarget {
  port: number;
  tls: boolean;
  /** The loopback address the bytes come from, so that each case has its own limits. */
  from: string;
}

export interface RawAnswer {
  /** Final statuses in order; interim ones are left out. */
  statuses: number[];
  interim: number[];
  closed: boolean;
  /** How much came back. */
  bytes: number;
  /** Of the first problem document, where there is one. */
  code: string | undefined;
}

/** How long to wait for an answer, or for the end of the connection, after the last byte was sent. */
const SETTLE_MS = 1_500;
const LOOK_EVERY_MS = 20;

/**
 * Sends bytes exactly as given (one code unit, one byte) and reads what comes back.
 *
 * @param waitMs How long to wait for an answer after the last byte; more where it is a timeout of the other side. Behind an answer
 *   the connection's end is waited for no longer than `settleMs`.
 */
export async function sendRaw(
  target: RawTarget,
  parts: Part[],
  waitMs = SETTLE_MS,
  settleMs = SETTLE_MS,
): Promise<RawAnswer> {
  const wire = await open(target);
  const { socket } = wire;
  let received = '';
  let closed = false;
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    received += chunk;
  });
  socket.on('error', () => {
    closed = true; // a reset is one way of being closed
  });
  const ended = new Promise<void>((resolve) => {
    for (const event of ['end', 'close']) socket.once(event, () => resolve());
    wire.tcp.once('close', () => resolve());
  });
  void ended.then(() => {
    closed = true;
  });
  for (const part of parts) {
    if (closed) break;
    await sendPart(wire, part, ended, () => received);
  }
  const longest = performance.now() + waitMs;
  const isAnswered = () => /(?:^|\n|\})HTTP\/1\.[01] [2-5]/.test(received);
  while (!closed && !isAnswered() && performance.now() < longest)
    await Promise.race([ended, sleep(LOOK_EVERY_MS)]);
  if (!closed) await Promise.race([ended, sleep(Math.min(waitMs, settleMs))]);
  const answer = {
    ...readStatuses(received, methodOf(parts)),
    closed,
    bytes: received.length,
    code: codeIn(received),
  };
  socket.destroy();
  return answer;
}

/** What is written to, and the connection under it, which is the same thing without TLS. */
interface Wire {
  socket: Socket;
  tcp: Socket;
}

async function open({ port, tls, from }: RawTarget): Promise<Wire> {
  const tcp = connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true, allowHalfOpen: true });
  await once(tcp, 'connect');
  if (!tls) return { socket: tcp, tcp };
  const socket = connectTls({ socket: tcp, servername: 'gateway.example.com', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  return { socket, tcp };
}

async function sendPart(
  { socket, tcp }: Wire,
  part: Part,
  ended: Promise<void>,
  received: () => string,
): Promise<void> {
  if (part.text !== undefined) socket.write(part.text.repeat(part.times ?? 1), 'latin1');
  if (part.pause_ms !== undefined) await Promise.race([sleep(part.pause_ms), ended]);
  if (part.half_close) socket.end();
  if (part.reset) tcp.resetAndDestroy();
  if (part.read_rate_bps !== undefined) await readSlowly([socket, tcp], part.seconds!, ended);
  if (part.wait_for !== undefined) await waitFor(part, ended, received);
  if (part.drip === undefined) return;
  for (let i = 0; i < part.drip.times && !socket.destroyed; i++) {
    socket.write(part.drip.text, 'latin1');
    await Promise.race([sleep(part.drip.every_ms), ended]);
  }
}

/** Takes nothing for a while, which is less than any rate: the other side's buffers fill. */
async function readSlowly(wires: Socket[], seconds: number, ended: Promise<void>): Promise<void> {
  for (const wire of wires) wire.pause();
  await Promise.race([sleep((seconds + 15) * 1000), ended]);
  for (const wire of wires) wire.resume();
}

async function waitFor(part: Part, ended: Promise<void>, received: () => string): Promise<void> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  const until = Date.now() + (part.timeout_ms ?? 2_000);
  while (!over && Date.now() < until && !received().includes(` ${part.wait_for}`)) await sleep(20);
}

const codeIn = (text: string) => /"code":"([a-z_]+)"/.exec(text)?.[1];

const methodOf = (parts: Part[]) => /^[A-Z]+/.exec(parts[0]?.text ?? '')?.[0] ?? '';

/** Walks over the answers by their framing, so that a status line inside a body is not counted. */
function readStatuses(text: string, method: string): { statuses: number[]; interim: number[] } {
  const statuses: number[] = [];
  const interim: number[] = [];
  let rest = text;
  for (;;) {
    const head = /^HTTP\/1\.[01] (\d{3})[^\r\n]*\r\n([\s\S]*?)\r\n(?:\r\n)?/.exec(rest);
    if (head === null) return { statuses, interim };
    const end = rest.indexOf('\r\n\r\n');
    const status = Number(head[1]);
    if (status < 200) interim.push(status);
    else statuses.push(status);
    if (end < 0) return { statuses, interim };
    const fields = rest.slice(0, end).toLowerCase();
    const hasBody = status >= 200 && status !== 204 && status !== 304 && method !== 'HEAD';
    rest = hasBody ? afterBody(rest.slice(end + 4), fields) : rest.slice(end + 4);
  }
}

function afterBody(rest: string, fields: string): string {
  const length = /\r\ncontent-length: *(\d+)/.exec(fields);
  if (length !== null) return rest.slice(Number(length[1]));
  if (!/\r\ntransfer-encoding: *chunked/.test(fields)) return '';
  const end = rest.indexOf('\r\n0\r\n\r\n');
  return end < 0 ? '' : rest.slice(end + 7);
}
