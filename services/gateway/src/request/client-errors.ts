import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { PROBLEMS, type ProblemCode, toProblemDocument } from '@zeq/contracts';
import { newRequestId } from '@zeq/service-kit';
import { BASE_LINES } from '../control/base-headers.ts';

const CURRENT = Symbol('the exchange that is under way');

interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
}
const NOTHING: Partial<Exchange> = {};
const LINGERS = Symbol('the answer has been written, and what still comes is thrown away');
type Marked = Socket & { [CURRENT]?: Exchange; [LINGERS]?: true };

/** How long what still comes is read, so that the answer is not lost in a reset (ms). */
const LINGER_MS = 1_000;

/** Notes which exchange a socket is busy with. */
export function noteCurrent(req: IncomingMessage, res: ServerResponse): void {
  (req.socket as Marked)[CURRENT] = { req, res };
}

/**
 * Answers what the parser refused. When a whole request came before the rubbish, its answer is finished first: it has been
 * handed on already, and its sender must not be told that it was not.
 */
export function answerBrokenRequests(server: Server): void {
  server.on('clientError', (err: NodeJS.ErrnoException, socket: Socket) => {
    if ((socket as Marked)[LINGERS]) return; // each further piece of the rubbish is an error of its own
    const running = (socket as Marked)[CURRENT];
    const { req, res } = running?.res.writableFinished === false ? running : NOTHING;
    if (req?.complete) res?.once('close', () => socket.destroy());
    else if (!socket.writable || res?.headersSent || err.code === 'ECONNRESET') socket.destroy();
    else end(socket, codeOf(err));
  });
}

function codeOf({ code }: NodeJS.ErrnoException): ProblemCode {
  if (code === 'HPE_HEADER_OVERFLOW' || code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 'headers_too_large';
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request_timeout' : 'bad_request';
}

function end(socket: Socket, code: ProblemCode): void {
  const { status } = PROBLEMS[code];
  const id = newRequestId();
  const body = JSON.stringify(
    toProblemDocument(code, 'This is not an HTTP request that can be accepted.', id),
  );
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${BASE_LINES}X-Zeq-Error: ${code}\r\nX-Request-Id: ${id}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
  (socket as Marked)[LINGERS] = true;
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}
