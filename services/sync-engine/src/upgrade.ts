import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { PROBLEMS, type ProblemCode, toProblemDocument } from '@zeq/contracts';
import { type Logger, requestIdOf, safeError, toProblem } from '@zeq/service-kit';

export type UpgradeHandler = (
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  path: string,
) => void | Promise<void>;

/**
 * What an upgrade request meets: the first handler whose pattern fits its path. A refusal is a problem document on the bare socket, and
 * the end of the connection.
 */
export function upgradeRouter(routes: readonly [RegExp, UpgradeHandler][], log: Logger) {
  return async function routeUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    const path = (req.url ?? '').split('?', 1)[0]!;
    const handler = routes.find(([pattern]) => pattern.test(path))?.[1];
    try {
      if (!handler) return refuse(socket, req, 'not_found', 'No socket is opened at this path.');
      await handler(req, socket, head, path);
    } catch (err) {
      const { code, detail } = toProblem(err);
      if (code === 'internal') log.error({ err: safeError(err) }, 'upgrade failed');
      refuse(socket, req, code, detail);
    }
  };
}

function refuse(socket: Duplex, req: IncomingMessage, code: ProblemCode, detail: string): void {
  const { status, title } = PROBLEMS[code];
  const body = JSON.stringify(toProblemDocument(code, detail, requestIdOf(req.headers['x-request-id'])));
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Zeq-Error: ${code}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
