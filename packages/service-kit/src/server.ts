import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { isEnding } from './linger.ts';

/**
 * Timeouts that fit behind nginx: it must never reuse a socket that Node has just closed (75 s), a head must come within
 * 10 s, and a body may take as long as it likes, because a forwarded upload may.
 */
const OPTIONS: ServerOptions = {
  keepAliveTimeout: 75_000,
  headersTimeout: 10_000,
  requestTimeout: 0,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 32 * 1024,
  requireHostHeader: true,
};

/** An HTTP server with our timeouts; it listens nowhere yet. What follows on a connection behind its last answer is not heard. */
export const buildServer = (listener: RequestListener, options: ServerOptions = {}): Server =>
  createServer({ ...OPTIONS, ...options }, (req, res) => {
    if (!isEnding(req.socket)) listener(req, res);
  });

/** Connections that may wait to be accepted. Node's own 511 are fewer than a crowd that comes at once. */
const BACKLOG = 2_048;

/** @throws ConfigError-like Error with one clear line when the port is taken. */
export async function listen(server: Server, port: number, host: string): Promise<void> {
  server.listen({ port, host, backlog: BACKLOG });
  try {
    await once(server, 'listening');
  } catch (err) {
    const code = (err as NodeJS.ErrnoException).code;
    if (code === 'EADDRINUSE') throw new Error(`port ${port} is taken by another program`, { cause: err });
    if (code === 'EACCES')
      throw new Error(`port ${port} needs more rights than this process has`, { cause: err });
    throw err;
  }
}

/** Listens on a Unix socket: a connection that finds its queue full is refused at once there, where TCP would try again. */
export async function listenLocally(server: Server, path: string): Promise<void> {
  rmSync(path, { force: true }); // left behind by a process that was killed
  server.listen({ path, backlog: BACKLOG });
  await once(server, 'listening');
}
