import type { Server, ServerResponse } from 'node:http';

/** Calls that still run get this long (ms). */
const DRAIN_MS = 25_000;
const LOOK_EVERY_MS = 100;

/**
 * Stops a server in order: nothing new is accepted, every further answer closes its connection, idle connections go at once,
 * and what still runs after the drain time is cut.
 */
export async function stopServer(server: Server, drainMs = DRAIN_MS): Promise<void> {
  server.prependListener('request', (_req, res: ServerResponse) => {
    res.shouldKeepAlive = false;
  });
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const sweep = setInterval(() => server.closeIdleConnections(), LOOK_EVERY_MS);
  const cut = setTimeout(() => server.closeAllConnections(), drainMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(cut);
}
