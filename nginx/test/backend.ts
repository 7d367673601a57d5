import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** A request as the service behind the edge saw it. */
export interface SeenRequest {
  method: string;
  url: string;
  /** Names and values in turn, as they arrived. */
  rawHeaders: string[];
  headers: IncomingMessage['headers'];
  body: string;
}

export interface Backend {
  port: number;
  /** Requests that arrived whole, by the client address that the edge stated. */
  seenFrom: (address: string) => SeenRequest[];
  /** Has the open event stream send its next event; after the last one it ends. */
  sendEvent: () => void;
  stop: () => Promise<void>;
}

export const EVENTS = 5;

/** A stand-in for the gateway: it answers everything with 200 and remembers what it got. */
export async function startBackend(): Promise<Backend> {
  const seen = new Map<string, SeenRequest[]>();
  const sockets = new Set<Socket>();
  let stream: ServerResponse;
  let left = 0;
  const server = createServer({ insecureHTTPParser: false }, (req, res) => void answer(req, res));
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (_req, socket: Socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    let body = '';
    req.setEncoding('latin1');
    req.on('data', (chunk: string) => {
      body += chunk;
    });
    await once(req, 'end');
    const from = String(req.headers['x-forwarded-for']);
    const request = {
      method: req.method!,
      url: req.url!,
      rawHeaders: req.rawHeaders,
      headers: req.headers,
      body,
    };
    seen.set(from, [...(seen.get(from) ?? []), request]);
    if (req.url!.endsWith('/events')) return startEvents(res);
    if (req.url!.endsWith('/steer')) res.setHeader('X-Accel-Redirect', '/nginx-health');
    if (req.url!.endsWith('/teapot')) res.statusCode = 418;
    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify({ length: body.length }));
  }

  function startEvents(res: ServerResponse): void {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    stream = res;
    left = EVENTS;
    sendEvent();
  }

  /** Nothing is sent before it is asked for: whoever holds an event back waits for ever. */
  function sendEvent(): void {
    if (left > 0) stream.write(`data: ${left}\n\n`);
    else stream.end();
    left -= 1;
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    sendEvent,
    seenFrom: (address) => seen.get(address) ?? [],
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
