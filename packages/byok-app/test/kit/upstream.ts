import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A provider in the style of OpenAI, at the test's command. */
export interface Upstream {
  host: string;
  /** The one key that it takes. */
  key: string;
  /** Calls that came with the right key. */
  served: string[];
  /** Whether a stream is being sent at this moment. */
  streaming: () => number;
  close: () => Promise<void>;
}

const WORDS = ['Hello', ' from', ' a', ' stream', '.'];
const EVERY_MS = 60;
/** The last event of a stream states what it cost. */
export const STREAM_TOKENS = { prompt_tokens: 9, completion_tokens: 5 };
const LAST = { choices: [], usage: { ...STREAM_TOKENS, total_tokens: 14 } };

export async function openUpstream(key: string): Promise<Upstream> {
  const served: string[] = [];
  const streams = new Set<ServerResponse>();
  const server = createServer((req, res) => {
    if (req.headers.authorization !== `Bearer ${upstream.key}`)
      return sendJson(res, 401, { error: { message: `Incorrect API key: ${req.headers.authorization}` } });
    served.push(`${req.method} ${req.url}`);
    answer(req, res, streams);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const upstream: Upstream = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    key,
    served,
    streaming: () => streams.size,
    close: () => close(server),
  };
  return upstream;
}

function answer(req: IncomingMessage, res: ServerResponse, streams: Set<ServerResponse>): void {
  if (req.url === '/v1/models') sendJson(res, 200, { object: 'list', data: [{ id: 'tiny' }] });
  else if (req.url === '/v1/chat/completions') stream(res, streams, WORDS);
  else if (req.url === '/v1/endless') stream(res, streams);
  else sendJson(res, 404, { error: { message: 'no such path' } });
}

/** Server-sent events, word by word; without words until somebody ends it. */
function stream(res: ServerResponse, streams: Set<ServerResponse>, words?: string[]): void {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  streams.add(res);
  let n = 0;
  const timer = setInterval(() => {
    const content = words === undefined ? `${n} ` : words[n];
    n += 1;
    if (content === undefined) res.end(`data: ${JSON.stringify(LAST)}\n\ndata: [DONE]\n\n`);
    else res.write(`data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`);
  }, EVERY_MS);
  res.on('close', () => {
    clearInterval(timer);
    streams.delete(res);
  });
}

function sendJson(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}
