import type { Server, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 100;

export interface DrainOptions {
  /** How long new connections are still taken, while every answer already closes its own (ms). */
  lingerMs?: number;
  /** How long what runs then may go on (ms). */
  drainMs: number;
  /** Ends what would never end by itself, such as a feed. Called when nothing new is accepted any more. */
  endStreams?: () => Promise<void> | void;
}

/**
 * Stops a server that others hold connections to, so that none of their requests meets a connection that is just closing.
 *
 * First every answer says `Connection: close` while connections are still taken: whoever holds idle ones loses them in order,
 * one request each, and a balancer has time to look elsewhere. Then nothing new is accepted, idle connections go, and what still
 * runs after the drain time is cut. A server that nobody is connected to stops at once.
 */
export async function drainServer(
  server: Server,
  { lingerMs = 2_000, drainMs, endStreams }: DrainOptions,
): Promise<void> {
  server.prependListener('request', (_req, res: ServerResponse) => {
    res.shouldKeepAlive = false;
  });
  if (await isUsed(server)) await sleep(lingerMs);
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const sweep = setInterval(() => server.closeIdleConnections(), LOOK_EVERY_MS);
  const cut = setTimeout(() => server.closeAllConnections(), drainMs);
  await Promise.all([closed, endStreams?.()]);
  clearInterval(sweep);
  clearTimeout(cut);
}

const isUsed = (server: Server): Promise<boolean> =>
  new Promise((resolve) => server.getConnections((err, count) => resolve(err === null && count > 0)));
