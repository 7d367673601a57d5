import { createHash, randomBytes } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { BEARER, Rig, until } from './rig.ts';
import { RawUpstream, Upstream, valuesOf } from './upstream.ts';

let rig: Rig;
let upstream: Upstream;
let id: string;

beforeAll(async () => {
  [rig, upstream] = await Promise.all([Rig.start(), new Upstream().open()]);
  id = rig.register({ base_url: upstream.url });
});

afterAll(() => Promise.all([rig.stop(), upstream.close()]));

beforeEach(() => {
  upstream.seen.length = 0;
  upstream.answer = undefined;
});

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('ANY /api/zeq/apis/:slug/:id/forward/*', () => {
  it('sends method, path, query and body on, with the credential that nobody here knows', async () => {
    const under = rig.register({ base_url: `${upstream.url}/v1` });

    const res = await rig.fetch(under, '/chat?x=1', { method: 'POST', body: '{"a":1}' });

    expect(res.status).toBe(200);
    expect(await res.text()).toBe('hello');
    expect(upstream.last).toMatchObject({
      method: 'POST',
      url: '/v1/chat?x=1',
      body: Buffer.from('{"a":1}'),
    });
    expect(valuesOf(upstream.last.raw, 'authorization')).toEqual([BEARER.value]);
    expect(valuesOf(upstream.last.raw, 'host')).toEqual([`127.0.0.1:${upstream.port}`]);
  });

  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY'])(
    'carries %s',
    async (method) => {
      const answer = await rig.raw(
        `${rig.head(method, id, '/x', ['Content-Length: 2', 'Connection: close'])}ab`,
      );

      expect(answer).toMatch(/^HTTP\/1.1 200 /);
      expect(upstream.last).toMatchObject({ method, body: Buffer.from('ab') });
    },
  );

  it('answers HEAD, 204 and 304 without a body and keeps their stated length', async () => {
    upstream.answer = (req, res) => {
      const status = Number(req.url!.slice(1)) || 200;
      res.writeHead(status, status === 204 ? {} : { 'content-length': '5' }).end();
    };

    const head = await rig.raw(rig.head('HEAD', id, '/200', ['Connection: close']));
    const notModified = await rig.raw(rig.head('GET', id, '/304', ['Connection: close']));
    const noContent = await rig.raw(rig.head('GET', id, '/204', ['Connection: close']));

    expect(head).toMatch(/content-length: 5\r\n/i);
    for (const answer of [head, notModified, noContent]) expect(answer.split('\r\n\r\n')[1]).toBe('');
    expect(notModified).toMatch(/^HTTP\/1.1 304 /);
    expect(noContent).toMatch(/^HTTP\/1.1 204 /);
  });

  it('keeps a POST without a body apart from one with an empty body, and both apart from GET', async () => {
    await rig.raw(rig.head('POST', id, '/x', ['Content-Length: 0', 'Connection: close']));
    await rig.raw(rig.head('GET', id, '/x', ['Connection: close']));

    expect(upstream.seen.map(({ raw }) => valuesOf(raw, 'content-length'))).toEqual([['0'], []]);
  });

  it.each([
    ['collected', 60_000, false],
    ['streamed with its length', 3_000_000, false],
    ['streamed in chunks', 3_000_000, true],
  ])('carries a body both ways unchanged, %s', async (_how, bytes, chunked) => {
    const body = randomBytes(bytes);
    upstream.answer = (req, res) => {
      if (!chunked) res.setHeader('content-length', req.headers['content-length']!);
      req.pipe(res);
    };

    const init = {
      method: 'PUT',
      body: chunked ? Readable.toWeb(Readable.from(slices(body))) : body,
      duplex: 'half',
    };
    const res = await rig.fetch(id, '/echo', init as RequestInit);

    expect(sha256(new Uint8Array(await res.arrayBuffer()))).toBe(sha256(body));
  });

  it('carries a request that arrives one byte at a time, and an answer that leaves so', async () => {
    const text = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
    const slow = await new RawUpstream(async (socket) => {
      for (const char of text) {
        socket.write(char);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }).open();
    const there = rig.register({ base_url: slow.url });

    const res = await rig.fetch(there, '/x');

    expect(await res.text()).toBe('hello');
    await slow.close();
  });

  it('flushes the head of a stream before its first byte, and each event before the next', async () => {
    const turns: (() => void)[] = [];
    upstream.answer = (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      for (const event of ['one', 'two']) turns.push(() => res.write(`data: ${event}\n\n`));
      turns.push(() => res.end());
    };

    const res = await rig.fetch(id, '/stream'); // settles although no byte of the body has been sent
    const reader = res.body!.getReader();
    const heard: string[] = [];
    for (const turn of turns) {
      turn();
      const { value } = await reader.read();
      heard.push(Buffer.from(value ?? []).toString());
    }

    expect(res.headers.get('content-type')).toBe('text/event-stream');
    expect(heard).toEqual(['data: one\n\n', 'data: two\n\n', '']);
  });

  it('stops reading from the upstream while the caller does not read', async () => {
    let sent = 0;
    upstream.answer = (_req, res) => {
      const chunk = Buffer.alloc(64 * 1024);
      const pump = () => {
        while (sent < 64 * 2 ** 20 && !res.destroyed) {
          sent += chunk.length;
          if (!res.write(chunk)) return void res.once('drain', pump);
        }
        res.end();
      };
      pump();
    };
    const call = request(rig.url(id, '/big'), { headers: { 'x-zeq-service': rig.token() } }).end();
    const res = await new Promise<IncomingMessage>((resolve) => call.on('response', resolve));

    await settled(() => sent);
    const before = sent;
    let received = 0;
    for await (const chunk of res) received += (chunk as Buffer).length;

    expect(before).toBeLessThan(32 * 2 ** 20);
    expect(received).toBe(64 * 2 ** 20);
  }, 30_000);

  it('lets the caller wait for 100 Continue until there is a connection, and sends no Expect on', async () => {
    const heads = ['Content-Length: 200000', 'Expect: 100-continue', 'Connection: close'];
    const body = 'b'.repeat(200_000);
    const socket = connect(rig.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => {
      if (answer === '') socket.write(body);
      answer += chunk.toString('latin1');
    });

    socket.write(rig.head('POST', id, '/x', heads));
    await new Promise((resolve) => socket.once('close', resolve));

    expect(answer).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /);
    expect(valuesOf(upstream.last.raw, 'expect')).toEqual([]);
    expect(upstream.last.body).toHaveLength(200_000);
  });

  it('hands an early answer to a caller that still uploads', async () => {
    upstream.answer = (_req, res) => res.writeHead(401).end('no key');
    const body = Readable.toWeb(Readable.from(slices(randomBytes(4_000_000))));

    const res = await rig.fetch(id, '/x', { method: 'POST', body, duplex: 'half' } as unknown as RequestInit);

    expect(res.status).toBe(401);
    expect(res.headers.get('x-zeq-error')).toBeNull();
    expect(await res.text()).toBe('no key');
  });

  it('serves the next request of a connection whose last upload was answered early', async () => {
    upstream.answer = (req, res) => res.writeHead(req.method === 'POST' ? 401 : 200).end();
    const socket = connect(rig.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });

    socket.write(`${rig.head('POST', id, '/x', ['Content-Length: 200000'])}${'x'.repeat(100_000)}`);
    await until(() => answer.includes('401'), 'the early answer');
    socket.write('x'.repeat(100_000) + rig.head('GET', id, '/y'));
    await until(() => answer.includes('HTTP/1.1 200 '), 'the next answer');

    socket.destroy();
  });

  it('hands trailers on', async () => {
    upstream.answer = (_req, res) => {
      res.writeHead(200, { trailer: 'x-sum, x-zeq-error' });
      res.write('body');
      res.addTrailers({ 'x-sum': '42', 'x-zeq-error': 'internal' });
      res.end();
    };

    const answer = await rig.raw(rig.head('GET', id, '/x', ['Connection: close']));

    expect(answer).toMatch(/\r\n0\r\nx-sum: 42\r\n\r\n$/i);
  });

  it('keeps interim answers to itself', async () => {
    upstream.answer = (_req, res) => {
      res.writeEarlyHints({ link: '</x>; rel=preload' });
      res.writeProcessing();
      res.end('done');
    };

    const answer = await rig.raw(rig.head('GET', id, '/x', ['Connection: close']));

    expect(answer).toMatch(/^HTTP\/1.1 200 /);
  });

  it('states what the mesh added', async () => {
    const res = await rig.fetch(id, '/x');

    expect(res.headers.get('server-timing')).toMatch(/^forwarder;dur=[\d.]+, upstream;dur=[\d.]+$/);
    expect(res.headers.get('x-zeq-request-id')).toMatch(/^[0-9a-f]{24}$/);
    expect(res.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('uses one connection for many calls of one API, and other connections for another machine', async () => {
    const connections = new Set<number>();
    upstream.answer = (req, res) => {
      connections.add(req.socket.remotePort!);
      res.end();
    };
    const stranger = { ...rig.owner, machine_id: `mch_${'Z'.repeat(22)}`, slug: 'alice' };
    const theirs = rig.vault.register({
      base_url: upstream.url,
      machine_id: stranger.machine_id,
      slug: 'alice',
      auth: BEARER,
    });

    for (let i = 0; i < 5; i += 1) await (await rig.fetch(id, '/x')).text();
    const mine = connections.size;
    await (await rig.fetch(theirs, '/x', {}, stranger)).text();

    expect(mine).toBe(1);
    expect(connections.size).toBe(2);
  });

  it('logs one line per call, with the decision and nothing of path, query or credential', async () => {
    rig.lines.length = 0;

    await (await rig.fetch(id, '/private/path?secret=1')).text();
    await until(() => rig.lines.length === 1, 'the line');

    const { time, ms, request_id, ...line } = JSON.parse(rig.lines[0]!);
    expect(line).toEqual({
      level: 30,
      service: 'forwarder',
      msg: 'request',
      method: 'GET',
      route: '/api/zeq/apis/:slug/:id/forward/*',
      status: 200,
      who: 'owner:alice',
      decision: `owner; ${id} at ${upstream.url}; header`,
    });
  });

  it('holds nothing when all is over', async () => {
    await until(() => rig.plane.live.size === 0, 'no open calls');
  });
});

function* slices(bytes: Buffer) {
  for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
}

/** Waits until a figure has not moved for a while. */
async function settled(read: () => number): Promise<void> {
  let last = -1;
  while (last !== read()) {
    last = read();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
