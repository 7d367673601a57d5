import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The rest of a refused body is still read, so that the answer is not lost in a reset: while it comes, and not for ever (ms). */
const SILENCE_MS = 3_000;
const LINGER_MS = 10_000;
const SHORT_REST_BYTES = 64 * 1024;

/** Connections whose last answer has gone, or is going. */
const ending = new WeakSet<Socket>();

/** Whether an answer has said that a connection ends with it: nothing that follows on it may be processed (RFC 9112, section 9.6). */
export const isEnding = (socket: Socket): boolean => ending.has(socket);

/**
 * For an answer that comes before the body's end: the rest is read on for a moment, so that the answer is not lost in a reset. A
 * connection with a short rest goes on. One with a long rest ends, and a head that has not gone yet says so: nginx would keep it for
 * another call, which then dies with it. Where it ends, this side ends at once, and the other may go on sending for that moment.
 */
export function lingerAfter(res: ServerResponse): void {
  const { req } = res;
  if (req.complete || !hasBody(req)) return;
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

/** RFC 9112, section 6.3. */
const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

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
