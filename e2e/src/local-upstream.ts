import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** What one request brought along, for the tests to look at afterwards. */
export interface Arrival {
  method: string;
  url: string;
  /** Names and values as they stood on the wire. */
  rawHeaders: string[];
  bodyBytes: number;
  /** Hex; of what has arrived so far until `complete`. */
  bodySha256: string;
  complete: boolean;
  /** The other end left before the answer was whole. */
  aborted: boolean;
}

/** An upstream on loopback, at a port of the system's choice. */
export interface LocalUpstream {
  origin: string;
  port: number;
  arrivals: Arrival[];
  stop: () => Promise<void>;
}

export interface UpstreamParts {
  answer: (req: IncomingMessage, res: ServerResponse, arrival: Arrival) => void;
  upgrade?: (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** Opens an upstream that notes every arrival before it answers. Bodies are hashed as they pass and never kept. */
export async function openLocalUpstream({ answer, upgrade }: UpstreamParts): Promise<LocalUpstream> {
  const arrivals: Arrival[] = [];
  const server = createServer({ requestTimeout: 0 }, (req, res) => {
    const arrival = watch(req, res);
    arrivals.push(arrival);
    answer(req, res, arrival);
  });
  if (upgrade) {
    server.on('upgrade', (req, socket, head) => {
      arrivals.push(blank(req));
      upgrade(req, socket, head);
    });
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return { origin: `http://127.0.0.1:${port}`, port, arrivals, stop };
}

function watch(req: IncomingMessage, res: ServerResponse): Arrival {
  const arrival = blank(req);
  const hash = createHash('sha256');
  req.on('data', (chunk: Buffer) => {
    arrival.bodyBytes += chunk.length;
    hash.update(chunk);
  });
  req.on('end', () => {
    arrival.complete = true;
    arrival.bodySha256 = hash.digest('hex');
  });
  res.on('close', () => {
    arrival.aborted = !res.writableFinished;
  });
  return arrival;
}

const blank = (req: IncomingMessage): Arrival => ({
  method: req.method ?? '',
  url: req.url ?? '',
  rawHeaders: req.rawHeaders,
  bodyBytes: 0,
  bodySha256: '',
  complete: false,
  aborted: false,
});

/** The credential that an upstream insists on. */
export interface RegisteredKey {
  /** Lower case. */
  header: string;
  value: string;
}

/** Whether exactly the registered value arrived, once. */
export function presentsKey(req: IncomingMessage, key: RegisteredKey): boolean {
  const values: string[] = [];
  for (let i = 0; i < req.rawHeaders.length; i += 2) {
    if (req.rawHeaders[i]!.toLowerCase() === key.header) values.push(req.rawHeaders[i + 1]!);
  }
  return values.length === 1 && values[0] === key.value;
}

/** The whole body; only for answers that have to read it. */
export async function readBody(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A file that came as multipart/form-data. */
export async function readUpload(req: IncomingMessage): Promise<{ file: File; fields: FormData }> {
  const body = await readBody(req);
  const headers = { 'content-type': req.headers['content-type'] ?? '' };
  const fields = await new Response(new Uint8Array(body), { headers }).formData();
  const file = fields.get('file');
  if (!(file instanceof File)) throw new Error('the form has no file');
  return { file, fields };
}

export function sendJson(
  res: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  const body = Buffer.from(JSON.stringify(value));
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length, ...headers });
  res.end(body);
}
