import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildServer, listen, listenLocally } from '../src/index.ts';

describe('listen', () => {
  it('says in one line that the port is taken', async () => {
    const holder = buildServer((_req, res) => void res.end());
    await listen(holder, 0, '127.0.0.1');
    const { port } = holder.address() as AddressInfo;

    const second = listen(
      buildServer(() => undefined),
      port,
      '127.0.0.1',
    );

    await expect(second).rejects.toThrow(`port ${port} is taken by another program`);
    holder.close();
    await once(holder, 'close');
  });

  it('keeps idle connections longer than nginx does', () => {
    expect(buildServer(() => undefined).keepAliveTimeout).toBe(75_000);
  });
});

describe('listenLocally', () => {
  it('takes a thousand connections that come before it can accept one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'zeq-local-'));
    const path = join(folder, 'local.sock');
    const server = buildServer((_req, res) => res.end());
    await listenLocally(server, path);

    const sockets = Array.from({ length: 1_000 }, () => connect(path)); // all in one turn of the loop
    const ends = await Promise.allSettled(sockets.map((socket) => once(socket, 'connect')));

    expect(ends.filter(({ status }) => status === 'rejected')).toEqual([]);
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });
});
