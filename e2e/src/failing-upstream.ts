import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

/** An upstream on loopback that answers everything wrongly, and quotes the whole request wherever it can. */
export interface FailingUpstream {
  origin: string;
  port: number;
  stop: () => void;
}

/**
 * | path ends with | answer |
 * |---|---|
 * | `silent` | nothing, ever |
 * | `reset` | the connection is cut before an answer |
 * | `garbage` | the request, as it came, in place of a status line |
 * | `bad-header` | a header that holds a NUL and the request |
 * | `bad-status` | a status that there is not, with the request as its reason |
 * | `coding` | the request in a transfer coding that nobody asked for |
 * | `broken` | half of the promised body, the request in it |
 * | `bomb` | much more than was packed, the request at its beginning |
 * | `events` | the request as an event, and no end |
 */
export async function openFailingUpstream(): Promise<FailingUpstream> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let head = '';
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      head += chunk.toString('latin1');
      if (head.startsWith(TLS_HELLO)) socket.end(`HTTP/1.1 400 Bad Request\r\n${CLOSE}`);
      else if (head.includes('\r\n\r\n')) fail(socket, head);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { origin: `http://127.0.0.1:${port}`, port, stop };
}

/** The type of a handshake record; here it is answered in clear text. */
const TLS_HELLO = '\x16';
const OK = 'HTTP/1.1 200 OK\r\n';
const CLOSE = 'Connection: close\r\n\r\n';

function fail(socket: Socket, request: string): void {
  const way = /^\w+ \/(?:[a-z0-9/-]*\/)?([a-z-]+)[ ?]/.exec(request)?.[1];
  const line = request.replaceAll('\r\n', ' ');
  if (way === 'silent') return;
  if (way === 'reset') socket.resetAndDestroy();
  else if (way === 'garbage') socket.end(request);
  else if (way === 'bad-header') socket.end(`${OK}X-Seen: \0${line}\r\n${CLOSE}`);
  else if (way === 'bad-status') socket.end(`HTTP/1.1 000 ${line}\r\n${CLOSE}`);
  else if (way === 'coding') socket.end(packed(`${OK}Transfer-Encoding: gzip\r\n${CLOSE}`, request));
  else if (way === 'broken') socket.end(`${OK}Content-Length: 100000\r\n${CLOSE}${request}`);
  else if (way === 'bomb') socket.end(packed(`${OK}Content-Encoding: gzip\r\n${CLOSE}`, request, BOMB));
  else socket.write(`${OK}Content-Type: text/event-stream\r\n${CLOSE}data: ${line}\n\n`);
}

/** Unpacks to a gigabyte; members one behind the other are one file. */
const MEMBER = gzipSync(Buffer.alloc(2 ** 24));
const BOMB = Buffer.concat(Array.from({ length: 64 }, () => MEMBER));

const packed = (head: string, request: string, rest = Buffer.alloc(0)): Buffer =>
  Buffer.concat([Buffer.from(head), gzipSync(request), rest]);
