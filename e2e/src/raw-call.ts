import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** How a raw socket addresses one registered API through the gateway. */
export interface RawTarget {
  port: number;
  /** The address that a caller's path is added to, without scheme and host. */
  forward: string;
  token: string;
}

/** @param url The address of an API's forward route, as `TestMesh.register` gives it. */
export function rawTarget(url: string, token: string): RawTarget {
  const { port, pathname } = new URL(url);
  return { port: Number(port), forward: pathname, token };
}

/** The bytes of a request head. */
export function headOf(
  { port, forward, token }: RawTarget,
  method: string,
  path: string,
  headers: readonly string[] = [],
): string {
  const lines = [
    `${method} ${forward}${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${token}`,
    ...headers,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** A connection to the gateway on which errors are ends: who uses it looks at what was read. */
export async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket.on('error', () => socket.destroy());
}
