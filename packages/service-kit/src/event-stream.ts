import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Hub } from './hub.ts';

export const EVENT_STREAM = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
};

/** A listener that lost its stream is back within a Zeqond. */
const RETRY = 'retry: 777\n\n';

/**
 * Makes a response a stream of server-sent events. The head goes out through Node; after that the hub writes whole chunks to the socket,
 * so that a message is framed once for everybody.
 */
export function subscribeToEvents(hub: Hub, req: IncomingMessage, res: ServerResponse): void {
  // An answer to HEAD has no body: chunks on its connection would be read as the beginning of the next answer.
  if (req.method !== 'GET') return void res.writeHead(200, EVENT_STREAM).end();
  const isOld = req.httpVersion === '1.0'; // knows no chunks: the end of the connection is the end of the stream
  res.writeHead(200, isOld ? { ...EVENT_STREAM, Connection: 'close' } : EVENT_STREAM);
  res.flushHeaders();
  res.write(RETRY);
  req.socket.setNoDelay(true);
  const subscriber = { socket: req.socket, kind: isOld ? ('sse_plain' as const) : ('sse_chunked' as const) };
  hub.add(subscriber);
  res.once('close', () => hub.remove(subscriber));
}
