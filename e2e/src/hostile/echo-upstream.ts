import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that came whole to the application behind the mesh. */
export interface Echoed {
  method: string;
  url: string;
  rawHeaders: string[];
  /** One code unit is one byte. */
  body: string;
}

export interface EchoUpstream {
  port: number;
  /** What has come to a path that holds the mark. */
  seen: (mark: string) => Echoed[];
  stop: () => Promise<void>;
}

export const LARGE_BYTES = 64 * 1024 * 1024; // more than the buffers on the way take
const LARGE = Buffer.alloc(LARGE_BYTES);

/** The test routes of the list of hostile requests, as an upstream: `…large` is answered with 64 MiB, all else with the request's own path. */
export async function openEchoUpstream(): Promise<EchoUpstream> {
  const all: Echoed[] = [];
  const server = createServer({ requestTimeout: 0 }, (req, res) => {
    note(req, all);
    req.on('error', () => res.destroy());
    if (req.url!.includes('large')) res.end(LARGE);
    else req.on('end', () => res.end(req.url));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    seen: (mark) => all.filter(({ url }) => url.includes(mark)),
    stop: async () => {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}

function note(req: IncomingMessage, all: Echoed[]): void {
  let body = '';
  req.setEncoding('latin1').on('data', (chunk: string) => {
    body += chunk;
  });
  req.on('end', () => {
    const { method = '', url = '', rawHeaders } = req;
    all.push({ method, url, rawHeaders, body });
  });
}
