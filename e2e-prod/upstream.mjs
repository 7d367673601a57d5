// The provider of the production tests: it counts what it gets and answers in the ways that an edge can spoil.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const KEY = process.env.UPSTREAM_KEY;
let calls = 0;

const routes = {
  '/echo': async (req, res) => {
    let body = '';
    for await (const chunk of req) body += chunk;
    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify({ method: req.method, url: req.url, body }));
  },
  '/trace': async (req, res) => {
    const { traceparent, tracestate } = req.headers;
    res.end(JSON.stringify({ traceparent, tracestate }));
  },
  // ?count=N events, 5 of them where nothing is said, 200 ms apart
  '/events': async (req, res) => {
    const count = Number(new URL(req.url, 'http://upstream.test').searchParams.get('count') ?? 5);
    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    for (let i = 0; i < count && !res.destroyed; i++) {
      res.write(`data: ${Date.now()}\n\n`);
      await sleep(200);
    }
    res.end();
  },
  '/slow': async (_req, res) => {
    await sleep(2_000);
    res.end('done');
  },
  '/calls': async (_req, res) => res.end(String(calls)),
};

const server = createServer(async (req, res) => {
  const path = req.url.split('?')[0];
  if (path === '/health') return res.end('ok');
  if (req.headers.authorization !== `Bearer ${KEY}`) {
    res.statusCode = 401;
    return res.end('wrong key');
  }
  if (path !== '/calls') calls += 1;
  const route = routes[path];
  res.statusCode = route === undefined ? 404 : 200;
  if (route === undefined) return res.end();
  await route(req, res);
});

server.on('upgrade', (req, socket) => {
  const accept = createHash('sha1')
    .update(`${req.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
  socket.on('error', () => socket.destroy());
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.on('data', (frame) => socket.write(echoOf(frame)));
});

/** The text of one short masked frame (RFC 6455), as a server sends it: unmasked. */
function echoOf(frame) {
  const [length, mask, masked] = [frame[1] & 0x7f, frame.subarray(2, 6), frame.subarray(6)];
  return Buffer.from([frame[0], length, ...masked.subarray(0, length).map((byte, i) => byte ^ mask[i % 4])]);
}

server.listen(9000, '0.0.0.0');
