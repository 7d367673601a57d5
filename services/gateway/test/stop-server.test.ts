import { once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { stopServer } from '../src/stop-server.ts';

describe('stopServer', () => {
  let server: Server;
  let agent: Agent;
  let running: ServerResponse[];
  beforeEach(async () => {
    running = [];
    server = createServer((_req, res) => void running.push(res));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    agent = new Agent({ keepAlive: true });
  });
  afterEach(() => agent.destroy());

  async function ask(): Promise<IncomingMessage> {
    const req = get({ port: (server.address() as AddressInfo).port, agent });
    return (await once(req, 'response'))[0] as IncomingMessage;
  }

  /** The n-th request, once it is there. */
  async function arrived(n: number): Promise<ServerResponse> {
    while (running[n] === undefined) await sleep(1);
    return running[n];
  }

  it('lets a running answer end, closes idle connections, and takes no new one', async () => {
    const first = ask();
    (await arrived(0)).end('done');
    (await first).resume();
    const second = ask();
    const res = await arrived(1);
    res.write('first');
    const { port } = server.address() as AddressInfo;

    const stopped = stopServer(server, 30_000);
    res.end('last');
    const chunks: Buffer[] = [];
    for await (const chunk of await second) chunks.push(chunk as Buffer);
    await stopped;

    expect(Buffer.concat(chunks).toString()).toBe('firstlast');
    await expect(once(get({ port }), 'response')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('cuts what still runs after the drain time', async () => {
    const answer = ask();
    (await arrived(0)).write('endless');
    const stream = await answer;
    stream.resume();
    const broken = expect(once(stream, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });

    await stopServer(server, 50);

    await broken;
  });
});
