import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export const STAGES = ['before-headers', 'mid-upload', 'mid-stream', 'mid-websocket'] as const;
export type Stage = (typeof STAGES)[number];

const STREAM = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
const EVENT = '9\r\ndata: 1\n\n\r\n';
const EVENT_EVERY_MS = 20;
const SOCKET =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';

/** An upstream that never comes to an end: of each call it knows when it arrived and when its connection closed. */
export class AbortUpstream {
  /** Monotonic ms, by the call's path. */
  readonly closedAt = new Map<string, number>();
  port = 0;
  readonly #arrived = new Map<string, () => void>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server = createServer((socket) => this.#receive(socket));

  async open(): Promise<this> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Resolves when a call to this path has arrived. */
  arrival(path: string): Promise<void> {
    return new Promise((resolve) => this.#arrived.set(path, resolve));
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #receive(socket: Socket): void {
    this.#sockets.add(socket);
    let path: string | undefined;
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (path !== undefined) this.closedAt.set(path, performance.now());
    });
    socket.once('data', (chunk) => {
      path = chunk.toString('latin1').split(' ', 2)[1]!;
      socket.resume();
      this.#arrived.get(path)?.();
      this.#answer(socket, path);
    });
  }

  #answer(socket: Socket, path: string): void {
    if (path.startsWith('/mid-websocket')) socket.write(SOCKET);
    if (!path.startsWith('/mid-stream')) return;
    socket.write(STREAM);
    const timer = setInterval(() => socket.write(EVENT), EVENT_EVERY_MS);
    socket.once('close', () => clearInterval(timer));
  }
}
