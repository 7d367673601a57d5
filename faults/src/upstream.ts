import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

/** The header by which a call is known here; callers' own headers pass the mesh. */
export const CALL_ID = 'x-call-id';
const STREAM_EVERY_MS = 100;

/** What became of one request here. */
export interface Arrival {
  method: string;
  /** How often a request of this id has come. */
  times: number;
  /** When its connection or answer ended before the answer was whole (monotonic ms). */
  leftAt?: number;
}

/**
 * An upstream that counts what comes and hashes what it gets and sends. Every answer states its own digest, so that a caller
 * can tell a whole answer from one that only ended politely.
 *
 * - `POST /echo` reads a body and answers its length and SHA-256.
 * - `GET /stream?ms=N` sends a line every 100 ms and last `end DIGEST`, over all lines before it.
 * - `GET /late?ms=N` answers after a while; `GET /never` not at all; `GET /drip` one byte a second.
 * - `GET /cut-after?bytes=N` sends so many and then resets the connection in the middle of its answer.
 * - `/socket` returns every message.
 */
export class Upstream {
  readonly arrivals = new Map<string, Arrival>();
  /** Requests whose credential was not one that this upstream knows. */
  readonly strangers: string[] = [];
  readonly #knows: (credential: string) => boolean;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  #port = 0;

  /** @param knows Whether the value of `x-key` is a credential that was registered. */
  constructor(knows: (credential: string) => boolean) {
    this.#knows = knows;
    this.#server = createServer({ requestTimeout: 0 }, (req, res) => this.#receive(req, res));
    this.#server.on('upgrade', (req, socket, head) => {
      this.#note(req);
      this.#sockets.handleUpgrade(req, socket, head, (ws) => {
        ws.on('message', (message, binary) => ws.send(message, { binary }));
        ws.on('error', () => ws.terminate()); // the mesh was killed: the close is what counts
        ws.on('close', () => this.#left(req));
      });
    });
  }

  async open(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  get port(): number {
    return this.#port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Connections that are open now. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#server.getConnections((err, count) => (err ? reject(err) : resolve(count))),
    );
  }

  /** Ids of calls that may not be repeated and came more than once. */
  duplicates(): string[] {
    return [...this.arrivals]
      .filter(([, { times, method }]) => times > 1 && method === 'POST')
      .map(([id]) => id);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #receive(req: IncomingMessage, res: ServerResponse): void {
    this.#note(req);
    res.on('close', () => {
      if (!res.writableFinished) this.#left(req);
    });
    const { pathname, searchParams } = new URL(req.url ?? '/', this.origin);
    const ms = Number(searchParams.get('ms') ?? 0);
    if (pathname === '/echo') void echo(req, res);
    else if (pathname === '/stream') stream(res, ms);
    else if (pathname === '/late') after(res, ms, () => res.end('late'));
    else if (pathname === '/drip') drip(res);
    else if (pathname === '/cut-after') cutAfter(res, Number(searchParams.get('bytes')));
    else if (pathname !== '/never') res.writeHead(200, { 'content-length': 2 }).end('ok');
  }

  #note(req: IncomingMessage): void {
    const key = req.headers['x-key'];
    if (typeof key !== 'string' || !this.#knows(key)) this.strangers.push(`${req.method} ${req.url}`);
    const id = idOf(req);
    if (id === undefined) return;
    const before = this.arrivals.get(id);
    if (before === undefined) this.arrivals.set(id, { method: req.method ?? '', times: 1 });
    else before.times += 1;
  }

  #left(req: IncomingMessage): void {
    const arrival = this.arrivals.get(idOf(req) ?? '');
    if (arrival !== undefined) arrival.leftAt ??= performance.now();
  }
}

const idOf = (req: IncomingMessage): string | undefined => {
  const id = req.headers[CALL_ID];
  return typeof id === 'string' ? id : undefined;
};

async function echo(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of req as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  } catch {
    return; // the caller left in the middle: `close` has been noted
  }
  const body = JSON.stringify({ bytes, sha256: hash.digest('hex') });
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
}

function stream(res: ServerResponse, ms: number): void {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  const hash = createHash('sha256');
  let left = Math.ceil(ms / STREAM_EVERY_MS);
  const next = () => {
    if (left === 0) {
      clearInterval(timer);
      return void res.end(`end ${hash.digest('hex')}\n`);
    }
    left -= 1;
    const line = `line ${left} ${performance.now()}\n`;
    hash.update(line);
    res.write(line);
  };
  const timer = setInterval(next, STREAM_EVERY_MS);
  res.on('close', () => clearInterval(timer));
}

function after(res: ServerResponse, ms: number, answer: () => void): void {
  const timer = setTimeout(answer, ms);
  res.on('close', () => clearTimeout(timer));
}

function drip(res: ServerResponse): void {
  res.writeHead(200, { 'content-type': 'application/octet-stream' });
  const timer = setInterval(() => res.write('.'), 1_000);
  res.on('close', () => clearInterval(timer));
}

const PIECE = Buffer.alloc(64 * 1024, 'x');

function cutAfter(res: ServerResponse, left: number): void {
  if (left <= 0) return void res.socket?.resetAndDestroy();
  const piece = PIECE.subarray(0, Math.min(left, PIECE.length));
  if (res.write(piece)) setImmediate(cutAfter, res, left - piece.length);
  else res.once('drain', () => cutAfter(res, left - piece.length));
}

/** Whether a body of `/stream` is all that was sent. */
export function isWholeStream(body: string): boolean {
  const at = body.lastIndexOf('end ');
  const digest = createHash('sha256')
    .update(body.slice(0, Math.max(at, 0)))
    .digest('hex');
  return at >= 0 && body.slice(at) === `end ${digest}\n`;
}
