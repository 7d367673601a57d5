import { request as httpRequest, type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { PROBLEMS, type ProblemCode, toProblemDocument } from '@zeq/contracts';
import type { Live } from '@zeq/service-kit';
import type { Place } from '../config.ts';
import { BASE_LINES, BASE_NAMES } from '../control/base-headers.ts';
import type { Call } from '../request/call.ts';

const HANDSHAKE_MS = 60_000;
/** Lines of the hop, and those that the gateway writes itself. */
const DROPPED: ReadonlySet<string> = new Set([
  ...BASE_NAMES,
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'trailer',
]);

/** Answers an upgrade that is refused: a problem document on the bare socket, and the end of the connection. */
export function refuseSocket(
  socket: Socket,
  call: Call,
  code: ProblemCode,
  detail: string,
  retryAfter?: number,
): void {
  call.outcome = code;
  const { status } = PROBLEMS[code];
  const body = JSON.stringify(toProblemDocument(code, detail, call.id));
  const wait = retryAfter === undefined ? '' : `Retry-After: ${Math.max(1, Math.ceil(retryAfter))}\r\n`;
  const challenge = status === 401 ? 'WWW-Authenticate: Bearer realm="zeq"\r\n' : '';
  socket.on('error', () => socket.destroy()); // the client is gone: nobody is left to tell
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${BASE_LINES}X-Zeq-Error: ${code}\r\nX-Request-Id: ${call.id}\r\n${wait}${challenge}Content-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    'latin1',
  );
}

export interface TunnelOptions {
  call: Call;
  socket: Socket;
  /** Bytes that came behind the client's head. */
  head: Buffer;
  /** The service that answers the handshake. */
  place: Place;
  /** Raw pairs for the handshake. */
  headers: string[];
  done: (status: number) => void;
}

/**
 * Carries one WebSocket: the handshake is asked of the service, and afterwards bytes are piped both ways, with backpressure.
 * Each side's end is the other's end.
 */
export class Tunnel implements Live {
  slot = -1;
  readonly #options: TunnelOptions;
  #service: Socket | undefined;
  #status = 0;

  constructor(options: TunnelOptions) {
    this.#options = options;
    const { socket, done } = options;
    socket.setTimeout(0).setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#service?.destroy();
      done(this.#status);
    });
  }

  open(): void {
    const { place, headers, call, socket } = this.#options;
    const { hostname, port } = new URL(place.origin);
    const where = place.socketPath === undefined ? { hostname, port } : { socketPath: place.socketPath };
    const asked = httpRequest({
      ...where,
      path: call.headers.target,
      method: 'GET',
      headers,
      agent: false,
      timeout: HANDSHAKE_MS,
    });
    asked.on('upgrade', (answer, service, head) => this.#join(answer, service as Socket, head));
    asked.on('response', (answer) => this.#refused(answer));
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => {
      if (this.#status === 0) this.#away();
    });
    socket.on('close', () => asked.destroy());
    asked.end();
  }

  /** Ends it from this side. */
  close(): void {
    this.#options.socket.destroy();
  }

  cut(): void {
    this.#options.call.outcome = 'revoked';
    this.#options.socket.destroy();
  }

  #join(answer: IncomingMessage, service: Socket, head: Buffer): void {
    const { socket, head: early, call } = this.#options;
    this.#service = service;
    this.#status = 101;
    service.setTimeout(0).setNoDelay(true);
    service.on('error', () => service.destroy());
    service.on('close', () => socket.destroySoon());
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\n${BASE_LINES}${headLines(answer)}X-Zeq-Request-Id: ${call.id}\r\n\r\n`,
      'latin1',
    );
    if (head.length > 0) socket.write(head);
    if (early.length > 0) service.write(early);
    service.pipe(socket);
    socket.pipe(service);
  }

  /** The service said no: its answer goes to the client as it is, and the connection ends with it. */
  #refused(answer: IncomingMessage): void {
    const { socket, call } = this.#options;
    this.#status = answer.statusCode ?? 502;
    const reason = STATUS_CODES[this.#status] ?? '';
    socket.write(
      `HTTP/1.1 ${this.#status} ${reason}\r\n${BASE_LINES}${headLines(answer, 'connection')}X-Zeq-Request-Id: ${call.id}\r\nConnection: close\r\n\r\n`,
      'latin1',
    );
    answer.on('close', () => {
      if (!answer.complete) socket.destroy();
    });
    answer.pipe(socket);
  }

  #away(): void {
    const { socket, call } = this.#options;
    this.#status = PROBLEMS.service_unavailable.status;
    refuseSocket(socket, call, 'service_unavailable', 'The service behind this socket cannot be reached.', 1);
  }
}

function headLines({ rawHeaders }: IncomingMessage, also?: string): string {
  let lines = '';
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const lower = rawHeaders[i]!.toLowerCase();
    if (DROPPED.has(lower) || lower === also || lower.startsWith('access-control-')) continue;
    lines += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`;
  }
  return lines;
}
