import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ProblemCode } from '@zeq/contracts';
import type { Logger } from '@zeq/service-kit';
import { breakOff, safeError, sendProblem, toProblem } from '@zeq/service-kit';
import { setBaseHeaders } from '../control/base-headers.ts';
import type { Call } from './call.ts';

/** The rest of a refused body is still read, so that the answer is not lost in a reset: while it comes, and not for ever (ms). */
const SILENCE_MS = 3_000;
const LINGER_MS = 10_000;
const SHORT_REST_BYTES = 64 * 1024;

export interface RefuseOptions {
  retryAfter?: number | undefined;
  /** More raw pairs for the head. */
  extra?: readonly string[];
}

/** Answers a request of the lean path with a problem document. */
export function refuse(
  req: IncomingMessage,
  res: ServerResponse,
  call: Call,
  code: ProblemCode,
  detail: string,
  { retryAfter, extra = [] }: RefuseOptions = {},
): void {
  call.outcome = code;
  setBaseHeaders(res);
  for (let i = 0; i < extra.length; i += 2) res.appendHeader(extra[i]!, extra[i + 1]!);
  // A client that waits for 100 Continue may never send its body: what it sends next could be taken for that body.
  if (call.headers.expect !== undefined) res.shouldKeepAlive = false;
  lingerAfter(req, res);
  sendProblem(res, code, detail, call.id, retryAfter);
}

/** The same for whatever was thrown; what was not expected is logged. */
export function refuseError(
  req: IncomingMessage,
  res: ServerResponse,
  call: Call,
  err: unknown,
  log: Logger,
  extra: readonly string[] = [],
): void {
  const { code, detail, retryAfter } = toProblem(err);
  if (code === 'internal') log.error({ err: safeError(err), request_id: call.id }, 'request failed');
  if (res.headersSent) breakOff(res);
  else refuse(req, res, call, code, detail, { retryAfter, extra });
}

/** Connections whose last answer has gone, or is going. */
const ending = new WeakSet<Socket>();

/** Whether an answer has said that a connection ends with it: nothing that follows on it may be processed (RFC 9112, section 9.6). */
export const isEnding = (socket: Socket): boolean => ending.has(socket);

/**
 * For an answer that comes before the body's end: the rest is read on for a moment, so that the answer is not lost in a reset. A
 * connection with a short rest goes on. One with a long rest ends, and a head that has not gone yet says so: nginx would keep it for
 * another call, which then dies with it. Where it ends, this side ends at once, and the other may go on sending for that moment.
 */
export function lingerAfter(req: IncomingMessage, res: ServerResponse): void {
  if (req.complete) return;
  const { socket } = req;
  if (!res.headersSent && isLong(req)) res.setHeader('Connection', 'close');
  // what Node calls when the last answer is written; by itself it would close both sides
  socket.destroySoon = () => {
    ending.add(socket);
    socket.end();
  };
  res.once('finish', () =>
    discardRest(req, () => {
      Reflect.deleteProperty(socket, 'destroySoon');
      if (isEnding(socket)) socket.destroySoon();
    }),
  );
}

const isLong = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > SHORT_REST_BYTES;

function discardRest(req: IncomingMessage, done: () => void): void {
  if (req.complete) {
    done();
    return;
  }
  let bytes = 0;
  const cut = () => req.socket.destroy();
  /** A stall of this process is not silence: what came meanwhile is read first. */
  const silent = () => {
    const before = bytes;
    setImmediate(() => (bytes === before ? cut() : undefined));
  };
  const timers = [setTimeout(silent, SILENCE_MS), setTimeout(cut, LINGER_MS)] as const;
  const stop = () => timers.forEach(clearTimeout);
  req.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    timers[0].refresh();
  });
  req.once('end', () => {
    stop();
    done();
  });
  req.once('close', stop);
  req.resume();
}
