import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP relay in front of a server that can hold every byte back for a while, in each direction. */
export async function openSlowProxy(target: { host: string; port: number }) {
  const sockets = new Set<Socket>();
  const proxy = { url: '', delayMs: 0, close: (): Promise<void> => Promise.resolve() };
  const relay = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.on('data', (chunk) => setTimeout(() => to.write(chunk), proxy.delayMs));
    from.on('error', () => to.destroy());
    from.on('close', () => setTimeout(() => to.destroy(), proxy.delayMs));
  };
  const server = createServer((near) => {
    const far = connect(target);
    relay(near, far);
    relay(far, near);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  proxy.url = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  proxy.close = async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return proxy;
}
