import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { Agent } from 'undici';
import { makeCall } from '../src/load/call.ts';
import { reset, TcpProxy, type Toxins } from '../src/tcp-proxy.ts';

const BODY = 'x'.repeat(10_000);
const server = createServer(
  (_req, res) => void res.writeHead(200, { 'content-length': BODY.length }).end(BODY),
);
let proxy: TcpProxy;

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  proxy = await new TcpProxy((server.address() as AddressInfo).port).open();
});
afterAll(async () => {
  await proxy.close();
  await new Promise((done) => server.close(done));
});
afterEach(() => proxy.heal());

/** One call on a connection of its own. */
async function callThrough(toxins: Partial<Toxins>): Promise<string> {
  Object.assign(proxy.toxins, toxins);
  const agent = new Agent();
  const { outcome } = await makeCall(agent, 'call', 'call', {
    method: 'GET',
    url: `http://127.0.0.1:${proxy.port}/`,
    headers: {},
    judge: (body) => (body === BODY ? undefined : 'another body'),
  });
  await agent.destroy();
  return outcome;
}

describe('a proxy that spoils connections', () => {
  it.each([
    ['passes everything on without toxins', {}, 'ok'],
    ['passes everything on byte by byte', { sliceBytes: 1 }, 'ok'],
    ['passes everything on late', { delayMs: 30 }, 'ok'],
    ['resets before the first byte', { endAfterBytes: 0, ending: 'reset' }, 'broken'],
    ['resets in the body', { endAfterBytes: 5_000, ending: 'reset' }, 'broken'],
    ['ends politely in the body', { endAfterBytes: 5_000, ending: 'half-close' }, 'broken'],
  ] as const)('%s', async (_what, toxins, outcome) => {
    expect(await callThrough(toxins)).toBe(outcome);
  });

  it('goes to another server from the next connection on', async () => {
    const other = createServer((_req, res) => void res.end(BODY));
    await once(other.listen(0, '127.0.0.1'), 'listening');
    const before = proxy.target;
    proxy.target = (other.address() as AddressInfo).port;
    let asked = 0;
    other.on('request', () => (asked += 1));

    const outcome = await callThrough({});

    proxy.target = before;
    await new Promise((done) => other.close(done));
    expect([outcome, asked]).toEqual(['ok', 1]);
  });
});

describe('a reset', () => {
  it('closes a socket also while its end is on its way', async () => {
    const listener = createTcpServer({ allowHalfOpen: true });
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    const caller = connect({ port: (listener.address() as AddressInfo).port, allowHalfOpen: true });
    const [socket] = (await once(listener, 'connection')) as [Socket];

    socket.end('the last');
    reset(socket);

    await once(socket, 'close');
    caller.destroy();
    listener.close();
  });
});
