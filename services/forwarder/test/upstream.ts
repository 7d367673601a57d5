import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTcp, type Socket } from 'node:net';
import { readBody } from '@zeq/service-kit';
import { listenOn } from './rig.ts';

/** What an upstream saw of one request. */
export interface Seen {
  method: string;
  url: string;
  /** Node's raw pairs. */
  raw: string[];
  body: Buffer;
}

/** An upstream that remembers what it got and answers with what the test says. */
export class Upstream {
  readonly seen: Seen[] = [];
  /** Takes the place of the usual answer. */
  answer: RequestListener | undefined;
  readonly server: Server = createServer((req, res) => {
    if (this.answer !== undefined) return this.answer(req, res);
    this.#record(req).then(
      () => res.writeHead(200, { 'content-type': 'text/plain' }).end('hello'),
      () => res.destroy(),
    );
  });
  port = 0;

  async open(): Promise<this> {
    this.port = await listenOn(this.server);
    this.server.unref();
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get last(): Seen {
    return this.seen.at(-1)!;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  async #record(req: IncomingMessage): Promise<void> {
    const entry: Seen = { method: req.method!, url: req.url!, raw: req.rawHeaders, body: Buffer.alloc(0) };
    this.seen.push(entry);
    entry.body = await readBody(req, 2 ** 30);
  }
}

/** The values of a header in raw pairs, whatever its case. */
export const valuesOf = (raw: readonly string[], name: string): string[] =>
  raw.filter((_, i) => i % 2 === 1 && raw[i - 1]!.toLowerCase() === name);

/** An upstream that writes bytes by hand, once it has read a request's head. */
export class RawUpstream {
  readonly sockets = new Set<Socket>();
  connections = 0;
  port = 0;
  /** Hears everything that is read. */
  onBytes: (text: string) => void = () => undefined;
  readonly #server;

  constructor(onRequest: (socket: Socket, count: number) => void) {
    this.#server = createTcp((socket) => {
      this.connections += 1;
      this.sockets.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => this.sockets.delete(socket));
      let text = '';
      let count = 0;
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
        this.onBytes(chunk.toString('latin1'));
        if (!text.includes('\r\n\r\n')) return;
        text = '';
        count += 1;
        onRequest(socket, count);
      });
    });
  }

  async open(): Promise<this> {
    this.port = await listenOn(this.#server as never);
    this.#server.unref(); // a test that fails before it closes this does not keep the run alive
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((done) => this.#server.close(done));
  }
}
