import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { FLAT_BYTES, getHashed, MIB_256, putPattern } from '../src/big-bodies.ts';
import { type ByteUpstream, openByteUpstream, patternHash } from '../src/byte-upstream.ts';
import { growthDuring } from '../src/memory.ts';
import { openTestMesh, type TestMesh } from '../src/test-mesh.ts';
import { until } from '../src/until.ts';
import '../src/patience.ts';

const KEY = `canary-${randomBytes(24).toString('hex')}`;

let upstream: ByteUpstream;
let mesh: TestMesh;
let forward: string;
let token: string;

beforeAll(async () => {
  upstream = await openByteUpstream({ header: 'x-bytes-key', value: KEY });
  mesh = await openTestMesh([`127.0.0.1:${upstream.port}`]);
  ({ forward } = await mesh.register({
    name: 'bytes',
    base_url: upstream.origin,
    auth_header: `X-Bytes-Key: ${KEY}`,
  }));
  ({ token } = await mesh.mintToken('bytes'));
});

afterAll(async () => {
  await mesh?.stop();
  await upstream?.stop();
});

const pathsOnTheWay = () => {
  const { gateway, forwarder } = mesh.mesh.pids();
  return { gateway: gateway!, forwarder: forwarder! };
};

describe('a WebSocket through the mesh', () => {
  const open = (bearer: string) =>
    new WebSocket(`${forward.replace('http:', 'ws:')}/socket`, {
      headers: { authorization: `Bearer ${bearer}` },
    });

  it('carries text and binary messages both ways', async () => {
    const socket = open(token);
    await once(socket, 'open');
    const binary = randomBytes(100_000);

    socket.send('grüße');
    const [text, textIsBinary] = (await once(socket, 'message')) as [Buffer, boolean];
    socket.send(binary);
    const [data, dataIsBinary] = (await once(socket, 'message')) as [Buffer, boolean];

    expect([text.toString(), textIsBinary]).toEqual(['grüße', false]);
    expect([data.equals(binary), dataIsBinary]).toEqual([true, true]);
    socket.close(1000, 'done');
    expect((await once(socket, 'close'))[0]).toBe(1000);
    await until(() => upstream.sockets() === 0);
  });

  it('is refused with 401 for a token that nobody minted, before the upstream hears of it', async () => {
    const before = upstream.arrivals.length;
    const socket = open('zat_0000000000000000000000000000000000000000000');

    const [err] = (await once(socket, 'error')) as [Error];

    expect(err.message).toContain('401');
    expect(upstream.arrivals.length).toBe(before);
  });

  it('ends at the upstream when the client vanishes', async () => {
    const socket = open(token);
    await once(socket, 'open');

    socket.terminate();

    await until(() => upstream.sockets() === 0);
  });
});

describe('a body through the mesh', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND'])(
    'comes back from the echo as it was sent: %s',
    async (method) => {
      const body = randomBytes(70_001);

      const answer = await fetch(`${forward}/echo`, {
        method,
        body,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-anything' },
      });

      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('application/x-anything');
      expect(body.equals(Buffer.from(await answer.arrayBuffer()))).toBe(true);
    },
  );

  it('of 256 MiB arrives whole while the memory of both processes stays flat', async () => {
    await putPattern(`${forward}/hash`, token, 32 * 2 ** 20); // warm: code compiled, pools open

    const { result, growth } = await growthDuring(pathsOnTheWay(), () =>
      putPattern(`${forward}/hash`, token, MIB_256),
    );

    expect(result).toEqual({ bytes: MIB_256, sha256: patternHash(MIB_256) });
    expect(growth.gateway).toBeLessThanOrEqual(FLAT_BYTES);
    expect(growth.forwarder).toBeLessThanOrEqual(FLAT_BYTES);
  });

  it('of 256 MiB is delivered whole while the memory of both processes stays flat', async () => {
    await getHashed(`${forward}/bytes/${32 * 2 ** 20}`, token);

    const { result, growth } = await growthDuring(pathsOnTheWay(), () =>
      getHashed(`${forward}/bytes/${MIB_256}`, token),
    );

    expect(result).toEqual({ bytes: MIB_256, sha256: patternHash(MIB_256) });
    expect(growth.gateway).toBeLessThanOrEqual(FLAT_BYTES);
    expect(growth.forwarder).toBeLessThanOrEqual(FLAT_BYTES);
  });
});

describe('an upstream that fails', () => {
  const ask = (path: string) => fetch(forward + path, { headers: { authorization: `Bearer ${token}` } });

  it('before its answer: the mesh says so with its own code', async () => {
    const answer = await ask('/reset');

    expect(answer.status).toBe(502);
    expect(answer.headers.get('x-zeq-error')).toBe('upstream_reset');
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });

  it('in the middle of its answer: the client sees a broken body, not a short one', async () => {
    const answer = await ask('/broken');

    expect(answer.status).toBe(200);
    await expect(answer.arrayBuffer()).rejects.toThrow();
  });

  it('with an answer of its own: it passes through without the mark of the mesh', async () => {
    const answer = await ask('/no-such-path');

    expect(answer.status).toBe(404);
    expect(answer.headers.get('x-zeq-error')).toBeNull();
    expect(await answer.json()).toEqual({ error: 'no such path' });
  });
});
