import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { WebSocketServer } from 'ws';
import { Gate } from './gate.ts';
import {
  type LocalUpstream,
  openLocalUpstream,
  presentsKey,
  type RegisteredKey,
  sendJson,
} from './local-upstream.ts';

export type ByteUpstream = LocalUpstream & { gate: Gate; sockets: () => number };

/**
 * An upstream for bytes rather than meanings; it insists on the registered key as the others do.
 *
 * | request | answer |
 * |---|---|
 * | `PUT /hash` | `{bytes, sha256}` of the body |
 * | `ANY /echo` | the body, as it comes, with its content type |
 * | `GET /reflect` | every header of the request, so also the key |
 * | `GET /bytes/N` | N bytes of `patternOf`, with Content-Length |
 * | `GET /events` | an endless event stream; each event waits for `gate.release()` |
 * | `GET /silent` | nothing, ever |
 * | `GET /reset` | the connection is cut before an answer |
 * | `GET /broken` | half of the promised body, then the connection is cut |
 * | WebSocket, any path | every message comes back as it was sent |
 */
export async function openByteUpstream(key: RegisteredKey): Promise<ByteUpstream> {
  const gate = new Gate();
  const sockets = new WebSocketServer({ noServer: true });
  sockets.on('connection', (socket) =>
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
  );
  const upstream = await openLocalUpstream({
    answer: (req, res) => {
      if (presentsKey(req, key)) route(req, res, gate);
      else sendJson(res, 401, { error: 'the registered key did not arrive' });
    },
    upgrade: (req, socket, head) => {
      if (presentsKey(req, key))
        sockets.handleUpgrade(req, socket, head, (opened) => sockets.emit('connection', opened, req));
      else socket.end(REFUSED_UPGRADE);
    },
  });
  const stop = async () => {
    for (const socket of sockets.clients) socket.terminate();
    await upstream.stop();
  };
  return { ...upstream, gate, sockets: () => sockets.clients.size, stop };
}

const REFUSED_UPGRADE = 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

function route(req: IncomingMessage, res: ServerResponse, gate: Gate): void {
  const path = new URL(req.url ?? '/', 'http://bytes').pathname;
  const size = /^\/bytes\/(\d{1,11})$/.exec(path)?.[1];
  if (path === '/hash') answerHash(req, res);
  else if (path === '/echo') echo(req, res);
  else if (path === '/reflect') sendJson(res, 200, { headers: req.rawHeaders });
  else if (path === '/events') streamEvents(res, gate);
  else if (path === '/reset') (req.socket as Socket).resetAndDestroy();
  else if (path === '/broken') breakOff(res);
  else if (size !== undefined) sendPattern(res, Number(size));
  else if (path !== '/silent') sendJson(res, 404, { error: 'no such path' });
}

function answerHash(req: IncomingMessage, res: ServerResponse): void {
  const hash = createHash('sha256');
  let bytes = 0;
  req.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    hash.update(chunk);
  });
  req.on('end', () => sendJson(res, 200, { bytes, sha256: hash.digest('hex') }));
}

function echo(req: IncomingMessage, res: ServerResponse): void {
  res.writeHead(200, { 'content-type': req.headers['content-type'] ?? 'application/octet-stream' });
  req.pipe(res);
}

async function streamEvents(res: ServerResponse, gate: Gate): Promise<void> {
  const gone = new AbortController();
  res.on('close', () => gone.abort());
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  res.flushHeaders();
  for (let n = 0; await gate.pass(gone.signal); n += 1)
    res.write(`data: ${n}

`);
}

function breakOff(res: ServerResponse): void {
  res.writeHead(200, { 'content-length': 1000 });
  res.write(Buffer.alloc(500), () => res.destroy());
}

function sendPattern(res: ServerResponse, bytes: number): void {
  res.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes });
  // An error here is a caller who left; `aborted` of the arrival tells the test.
  pipeline(patternStream(bytes), res).catch(() => res.destroy());
}

const BLOCK = 64 * 1024;
/** Not periodic in 64 KiB: each block begins with its number, so that a lost or doubled block changes the hash. */
const filler = Buffer.from(Array.from({ length: BLOCK }, (_, i) => (i * 31 + (i >> 8)) & 0xff));

function* patternBlocks(bytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes; at += BLOCK) {
    const block = Buffer.from(filler.subarray(0, Math.min(BLOCK, bytes - at)));
    if (block.length >= 8) block.writeBigUInt64LE(BigInt(at));
    yield block;
  }
}

/** The same `bytes` bytes every time, made block by block. */
export const patternStream = (bytes: number): Readable =>
  Readable.from(patternBlocks(bytes), { objectMode: false, highWaterMark: BLOCK });

/** SHA-256, hex, of `patternStream(bytes)`. */
export function patternHash(bytes: number): string {
  const hash = createHash('sha256');
  for (const block of patternBlocks(bytes)) hash.update(block);
  return hash.digest('hex');
}
