import type { ServerResponse } from 'node:http';

/**
 * Ends an answer that cannot be completed, so that its reader sees that something is missing. The head goes out first where it is still
 * held for its body: a connection that closes without a byte would look as if the mesh had gone. To an HTTP/1.0 caller a closed
 * connection is the end of a body (RFC 9112 §6.3); only a reset tells it.
 */
export function breakOff(res: ServerResponse): void {
  if (res.destroyed) return;
  res.flushHeaders();
  const { socket } = res;
  const canReset = socket?.remoteAddress !== undefined; // a unix socket knows no reset
  if (res.req.httpVersionMinor === 0 && canReset) socket.resetAndDestroy();
  else res.destroy();
}
