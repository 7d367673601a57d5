import { once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { drainServer } from '../src/drain-server.ts';

describe('drainServer', () => {
  let server: Server;
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });

  beforeEach(async () => {
    server = createServer((req, res) => {
      if (req.url === '/endless') res.write('begun');
      else setTimeout(() => res.end('done'), Number(req.url!.slice(1)));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });

  afterEach(() => server.closeAllConnections());
  afterAll(() => agent.destroy());

  async function ask(ms: number | 'endless'): Promise<IncomingMessage> {
    const { port } = server.address() as AddressInfo;
    const req = get({ host: '127.0.0.1', port, path: `/${ms}`, agent });
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    return res;
  }

  async function whole(ms: number): Promise<string> {
    let text = '';
    for await (const chunk of await ask(ms)) text += chunk;
    return text;
  }

  it('stops at once when nobody is connected', async () => {
    await drainServer(server, { lingerMs: 600_000, drainMs: 600_000 }); // waiting for either would outlast the test

    expect(server.listening).toBe(false);
  });

  it('serves every request of a client that goes on asking while it stops', async () => {
    await whole(0);
    const stopped = drainServer(server, { lingerMs: 500, drainMs: 5_000 });

    const answers: string[] = [];
    for (const until = performance.now() + 300; performance.now() < until; ) answers.push(await whole(1));

    await stopped;
    expect(answers.length).toBeGreaterThan(1); // how many, is a matter of the machine
    expect(new Set(answers)).toEqual(new Set(['done']));
  });

  it('closes the connection of each answer meanwhile', async () => {
    await whole(0);
    const stopped = drainServer(server, { lingerMs: 300, drainMs: 5_000 });
    await sleep(20);

    const res = await ask(0);
    res.resume();

    expect(res.headers.connection).toBe('close');
    await stopped;
  });

  it('lets what runs come to its end, and cuts what does not within the drain time', async () => {
    const [slow, endless] = [whole(600), ask('endless')];
    (await endless).on('error', () => undefined).resume();

    const begun = performance.now();
    await drainServer(server, { lingerMs: 0, drainMs: 1_500 });

    expect(await slow).toBe('done');
    expect(performance.now() - begun).toBeGreaterThanOrEqual(1_400);
  });

  it('ends streams when nothing new is accepted any more', async () => {
    const ended: string[] = [];
    const feed = await ask('endless');
    feed.on('error', () => ended.push('client')).resume();
    const endStreams = () => {
      ended.push(`listening ${server.listening}`);
      server.closeAllConnections();
    };

    await drainServer(server, { lingerMs: 0, drainMs: 10_000, endStreams });

    expect(ended[0]).toBe('listening false');
  });
});
