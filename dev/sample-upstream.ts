// A small provider to try the mesh on: it answers 401 unless the registered key arrives, and shows no part of it.
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

const port = Number(process.env.SAMPLE_PORT);
const digest = (text: string) => createHash('sha256').update(text).digest();
const expected = digest(`Bearer ${process.env.SAMPLE_KEY}`);

const server = createServer((req, res) => {
  if (req.url === '/health') return sendJson(res, 200, { status: 'ok' });
  if (!timingSafeEqual(digest(req.headers.authorization ?? ''), expected)) {
    return sendJson(res, 401, {
      error: { message: 'The registered key did not arrive.', type: 'authentication_error' },
    });
  }
  const path = (req.url ?? '/').split('?')[0];
  if (path === '/v1/hello')
    return sendJson(res, 200, {
      message: 'Hello from the sample upstream. Your key arrived, and you never saw it.',
    });
  if (path === '/v1/models')
    return sendJson(res, 200, { object: 'list', data: [{ id: 'sample-1', object: 'model' }] });
  if (path === '/v1/stream') return stream(res);
  if (path === '/v1/echo') return void echo(req, res);
  return sendJson(res, 404, { error: { message: 'Try /v1/hello, /v1/models, /v1/stream or /v1/echo.' } });
});

server.listen(port, '127.0.0.1');
process.on('SIGTERM', () => server.close(() => process.exit(0)).closeAllConnections());

function sendJson(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

/** Ten server-sent events, one every 200 ms. */
function stream(res: ServerResponse): void {
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
  let n = 0;
  const timer = setInterval(() => {
    res.write(`data: {"n":${++n}}\n\n`);
    if (n === 10) res.end('data: [DONE]\n\n');
  }, 200);
  res.on('close', () => clearInterval(timer));
}

/** What arrived, without the credential: method, target, body length and SHA-256. */
async function echo(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of req) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  sendJson(res, 200, { method: req.method, target: req.url, bytes, sha256: hash.digest('hex') });
}
