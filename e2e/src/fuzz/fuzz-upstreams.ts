import { once } from 'node:events';
import { createServer as createHttp } from 'node:http';
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net';

/** Answers every request well and with its own path, which is how a stranger's answer is told from one's own. */
const honest = createHttp((req, res) => {
  req.resume();
  res.end(req.url);
});

export interface FuzzUpstreams {
  /** Behind it the requests are strange. */
  honest: number;
  /** Behind it the answers are, except to paths that begin with /clean. */
  strange: number;
  close: () => void;
}

/** @param answerTo The bytes with which a path is answered, and whether the connection ends with them. */
export async function openFuzzUpstreams(
  answerTo: (path: string) => { bytes: Buffer; closes: boolean },
): Promise<FuzzUpstreams> {
  const sockets = new Set<Socket>();
  const strange = createTcp((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      const path = /^GET (\S+)/.exec(chunk.toString('latin1'))?.[1];
      if (path === undefined) return;
      if (path.startsWith('/clean')) return void socket.write(wellSaid(path));
      const { bytes, closes } = answerTo(path);
      if (closes) socket.end(bytes);
      else socket.write(bytes);
    });
  });
  const close = () => {
    for (const socket of sockets) socket.destroy();
    honest.closeAllConnections();
    for (const server of [honest, strange]) server.close();
  };
  return { honest: await portOf(honest), strange: await portOf(strange), close };
}

const wellSaid = (path: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`;

async function portOf(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}
