import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buildServer, listen } from '../src/index.ts';

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
