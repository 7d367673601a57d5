import { connect, type Socket } from 'node:net';
import { Rig, until } from './rig.ts';
import { RawUpstream } from './upstream.ts';

let rig: Rig;

beforeAll(async () => {
  rig = await Rig.start();
});

afterAll(() => rig.stop());

const ABORTS = 1_000;
const AT_ONCE = 50;
/** Enough on a machine that does other things as well (ms). */
const PATIENCE_MS = 60_000;

/** Opens calls, leaves each at its moment, and waits until the upstream has seen every one of them go. */
async function leave(
  upstream: RawUpstream,
  head: string,
  moment: (socket: Socket) => Promise<unknown>,
): Promise<void> {
  for (let done = 0; done < ABORTS; done += AT_ONCE) {
    const sockets = Array.from({ length: AT_ONCE }, () => connect(rig.port, '127.0.0.1'));
    await Promise.all(
      sockets.map(async (socket) => {
        socket.on('error', () => socket.destroy()).write(head);
        await moment(socket);
        socket.destroy();
      }),
    );
    await until(() => upstream.sockets.size === 0, 'the upstream seeing every close');
  }
}

const firstByte = (socket: Socket) => new Promise((resolve) => socket.once('data', resolve));

describe(`${ABORTS} callers that leave`, () => {
  afterEach(async () => {
    await until(() => rig.plane.live.size === 0, 'no open calls');
    expect(rig.plane.pools.connections).toBe(0);
  });

  it(
    'before the head of the answer: the upstream sees each go',
    async () => {
      let arrived = 0;
      const waiting: (() => void)[] = [];
      const upstream = await new RawUpstream(() => {
        arrived += 1;
        waiting.shift()?.();
      }).open();
      const id = rig.register({ base_url: upstream.url });

      await leave(
        upstream,
        rig.head('GET', id, '/x'),
        () => new Promise<void>((resolve) => waiting.push(resolve)),
      );

      expect(arrived).toBe(ABORTS);
      await upstream.close();
    },
    PATIENCE_MS,
  );

  it(
    'inside a stream: the upstream sees each go',
    async () => {
      const upstream = await new RawUpstream((socket) => {
        socket.write(
          'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n8\r\ndata: 1\n\r\n',
        );
      }).open();
      const id = rig.register({ base_url: upstream.url });

      await leave(upstream, rig.head('GET', id, '/x'), firstByte);

      await upstream.close();
    },
    PATIENCE_MS,
  );

  it(
    'inside their upload: the upstream sees each go',
    async () => {
      const waiting: (() => void)[] = [];
      const upstream = await new RawUpstream(() => waiting.shift()?.()).open();
      const id = rig.register({ base_url: upstream.url });
      const head = `${rig.head('POST', id, '/x', ['Content-Length: 1000000'])}${'x'.repeat(1000)}`;

      await leave(upstream, head, () => new Promise<void>((resolve) => waiting.push(resolve)));

      await upstream.close();
    },
    PATIENCE_MS,
  );
});

describe('a caller that leaves', () => {
  it('while its body is collected has made no call', async () => {
    const upstream = await new RawUpstream((socket) => socket.end()).open();
    const id = rig.register({ base_url: upstream.url });
    const socket = connect(rig.port, '127.0.0.1').on('error', () => undefined);

    socket.write(`${rig.head('POST', id, '/x', ['Content-Length: 100'])}abc`);
    await until(() => rig.plane.live.size === 1, 'the call');
    socket.destroy();
    await until(() => rig.plane.live.size === 0, 'its end');

    expect(upstream.connections).toBe(0);
    await upstream.close();
  });

  it('while the name is resolved has made no call', async () => {
    const own = await Rig.start({ allow: 'slow.example.net', dnsBudgetMs: 300 });
    const upstream = await new RawUpstream((socket) => socket.end()).open();
    own.dns.answer = () => ({ silent: true });
    const id = own.register({ base_url: `http://slow.example.net:${upstream.port}` });
    const socket = connect(own.port, '127.0.0.1').on('error', () => undefined);

    socket.write(own.head('GET', id, '/x'));
    await until(() => own.dns.queries.length === 2, 'the queries');
    socket.destroy();
    await until(() => own.plane.live.size === 0, 'its end');

    expect(upstream.connections).toBe(0);
    await Promise.all([own.stop(), upstream.close()]);
  });

  it('is counted and logged as aborted', async () => {
    rig.lines.length = 0;
    const upstream = await new RawUpstream(() => undefined).open();
    const id = rig.register({ base_url: upstream.url });
    const socket = connect(rig.port, '127.0.0.1').on('error', () => undefined);

    socket.write(rig.head('GET', id, '/x'));
    await until(() => upstream.sockets.size === 1, 'the call');
    socket.destroy();
    await until(() => rig.lines.length === 1, 'the line');

    expect(JSON.parse(rig.lines[0]!)).toMatchObject({ outcome: 'aborted', status: 0 });
    await upstream.close();
  });
});
