import type { Socket } from 'node:net';
import { Rig, until } from './rig.ts';
import { RawUpstream } from './upstream.ts';

let rig: Rig;

beforeAll(async () => {
  rig = await Rig.start();
});

afterAll(() => rig.stop());

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** What became of a call that met a connection which its upstream was about to close. */
interface Meeting {
  outcome: string;
  /** Requests that the upstream read, the first call of the connection among them. */
  requests: number;
  connections: number;
}

/** One call that leaves an idle connection behind, and the one under test, which `close` then meets. */
async function meet(init: RequestInit, close: (socket: Socket) => void): Promise<Meeting> {
  let requests = 0;
  const upstream = await new RawUpstream((socket, count) => {
    requests += 1;
    if (count === 1) socket.write(OK);
    else close(socket);
  }).open();
  const id = rig.register({ base_url: upstream.url });
  await (await rig.fetch(id, '/first')).text();
  await until(() => rig.plane.live.size === 0, 'an idle connection');

  const res = await rig.fetch(id, '/second', init);
  const outcome = res.headers.get('x-zeq-error') ?? `${res.status} ${await res.text()}`;
  const { connections } = upstream;
  await upstream.close();
  return { outcome, requests, connections };
}

const end = (socket: Socket) => void socket.end();
const reset = (socket: Socket) => void socket.resetAndDestroy();

describe('a connection that the upstream closes when it is used again', () => {
  it.each([
    ['GET', 'by closing', end],
    ['GET', 'by reset', reset],
    ['HEAD', 'by closing', end],
    ['OPTIONS', 'by closing', end],
  ])('costs a %s nothing, %s: it is sent once more, on a new one', async (method, _how, close) => {
    const meeting = await meet({ method }, close);

    const body = method === 'HEAD' ? '' : 'ok';
    expect(meeting).toEqual({ outcome: `200 ${body}`, requests: 3, connections: 2 });
  });

  it.each([
    ['POST', 'x', end],
    ['POST', undefined, end],
    ['POST', 'x', reset],
    ['PUT', 'x', end],
    ['DELETE', undefined, end],
    ['PATCH', 'x', reset],
  ])('ends a %s with body %j, which the upstream sees once', async (method, body, close) => {
    const meeting = await meet({ method, ...(body !== undefined && { body }) }, close);

    expect(meeting).toEqual({ outcome: 'upstream_reset', requests: 2, connections: 1 });
  });

  it('ends a GET of which one byte of an answer had come', async () => {
    const meeting = await meet({}, (socket) => socket.write('H', () => socket.end()));

    expect(meeting).toEqual({ outcome: 'upstream_reset', requests: 2, connections: 1 });
  });

  it('ends a GET when the new connection breaks as well: there is no third', async () => {
    let requests = 0;
    const upstream = await new RawUpstream((socket) => {
      requests += 1;
      if (requests === 1) socket.write(OK);
      else socket.end();
    }).open();
    const id = rig.register({ base_url: upstream.url });
    await (await rig.fetch(id, '/first')).text();
    await until(() => rig.plane.live.size === 0, 'an idle connection');

    const res = await rig.fetch(id, '/second');

    expect([res.headers.get('x-zeq-error'), requests]).toEqual(['upstream_reset', 3]);
    await upstream.close();
  });

  it('never makes two of a POST, whatever else goes on in the pool', async () => {
    const seen = new Map<string, number>();
    const upstream = await new RawUpstream((socket, count) => {
      if (count % 3 === 0) socket.end();
      else socket.write(OK);
    }).open();
    const id = rig.register({ base_url: upstream.url, policy: { circuit_failures: 0 } });
    upstream.onBytes = (text) => {
      const name = /^POST \S*n=(\d+)/m.exec(text)?.[1];
      if (name !== undefined) seen.set(name, (seen.get(name) ?? 0) + 1);
    };

    await Promise.all(
      Array.from({ length: 300 }, async (_, n) => {
        await new Promise((resolve) => setTimeout(resolve, n % 60));
        const method = n % 2 === 0 ? 'POST' : 'GET';
        await (await rig.fetch(id, `/x?n=${n}`, { method })).text();
      }),
    );

    expect(seen.size).toBe(150);
    expect([...seen.values()].filter((times) => times > 1)).toEqual([]);
    await upstream.close();
  });
});
