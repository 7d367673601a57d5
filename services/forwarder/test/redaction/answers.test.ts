import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, request } from 'node:http';
import type { Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { WebSocket, WebSocketServer } from 'ws';
import { BEARER, CANARY, listenOn, Rig, until } from '../rig.ts';
import { RawUpstream, Upstream } from '../upstream.ts';

let rig: Rig;
let upstream: Upstream;
let id: string;

beforeAll(async () => {
  rig = await Rig.start();
  upstream = await new Upstream().open();
  id = rig.register({ base_url: upstream.url });
});

afterAll(async () => {
  await rig.stop();
  await upstream.close();
});

const HIDDEN = `[redacted]${'*'.repeat(CANARY.length - 10)}`;
const BASE64 = Buffer.from(`Bearer ${CANARY}`).toString('base64');
const LONGEST_RUN = 12;

/** Parts of the secret that are long enough to be one, in any of its forms, are nowhere in the text. */
function expectNoSecret(text: string): void {
  const forms = [CANARY, BASE64, Buffer.from(CANARY).toString('hex'), encodeURIComponent(CANARY)];
  for (const form of forms)
    for (let at = 0; at + LONGEST_RUN <= form.length; at += 1) {
      const part = form.slice(at, at + LONGEST_RUN);
      if (!BASE64_OF_SCHEME.includes(part)) expect(text).not.toContain(part);
    }
}
const BASE64_OF_SCHEME = Buffer.from('Bearer ').toString('base64');

const credentialOf = (req: IncomingMessage): string => req.headers.authorization!;

/** The file's reflections, as upstreams. */
const REFLECTIONS: Record<string, RequestListener> = {
  'reflect-body': (req, res) => res.end(JSON.stringify(req.headers)),
  'reflect-header': (req, res) => res.writeHead(200, { 'X-Echo': credentialOf(req) }).end('ok'),
  'reflect-status-text': (req, res) => res.writeHead(200, credentialOf(req)).end('ok'),
  'reflect-location': (req, res) =>
    res.writeHead(302, { Location: `https://example.com/?k=${encodeURIComponent(credentialOf(req))}` }).end(),
  'reflect-base64': (req, res) => res.end(Buffer.from(credentialOf(req)).toString('base64')),
  'reflect-split-chunks': (req, res) => {
    const text = credentialOf(req);
    res.write(text.slice(0, 15), () => setTimeout(() => res.end(text.slice(15)), 20));
  },
  'reflect-gzip': (req, res) =>
    res.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync(JSON.stringify(req.headers))),
  'reflect-sse': (req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    for (const char of credentialOf(req)) res.write(`data: ${char}\n\n`);
    res.end();
  },
  'reflect-error-500': (req, res) =>
    res.writeHead(500).end(`Error: boom\n  at handler\n  headers: ${JSON.stringify(req.rawHeaders)}`),
};

const vectors = JSON.parse(
  readFileSync(new URL('../vectors/upstream-hostile.json', import.meta.url), 'utf8'),
) as { id: string; respond: { reflect?: string }; expect: { status: string } }[];
const reflections = vectors.filter(({ respond }) => respond.reflect !== undefined);

describe('an upstream that echoes', () => {
  it.each(reflections.map(({ id: name, expect: { status } }) => [name, status]))(
    '%s',
    async (name, status) => {
      upstream.answer = REFLECTIONS[name.replace('upstream/', '')]!;

      const raw = await rig.raw(rig.head('GET', id, '/x', ['Connection: close']));

      expect(status.split('|')).toContain(raw.slice(9, 12));
      expectNoSecret(raw);
    },
  );

  it('hides it in the same length, so that a stated length stays true', async () => {
    upstream.answer = (_req, res) =>
      res.setHeader('content-length', CANARY.length + 8).end(`key=${CANARY}&ok=`);
    const res = await rig.fetch(id, '/x');
    expect(res.headers.get('content-length')).toBe(String(CANARY.length + 8));
    expect(await res.text()).toBe(`key=${HIDDEN}&ok=`);
  });

  it('hides it in set-cookie that the API lets through, in trailers, and in the answer to HEAD', async () => {
    const open = rig.register({
      base_url: upstream.url,
      policy: { allowed_response_headers: ['set-cookie'] },
    });
    upstream.answer = (req, res) => {
      res.setHeader('Set-Cookie', [`k=${CANARY}`, 'a=b']);
      if (req.method === 'HEAD') return void res.end();
      res.writeHead(200, { Trailer: 'X-End' });
      res.addTrailers({ 'X-End': credentialOf(req) });
      res.end('body');
    };
    const raw = await rig.raw(rig.head('GET', open, '/x', ['Connection: close']));
    expectNoSecret(raw);
    expect(raw).toContain(`set-cookie: k=${HIDDEN}`);
    expect(raw).toContain(`x-end: Bearer ${HIDDEN}`);
    const head = await rig.raw(rig.head('HEAD', open, '/x', ['Connection: close']));
    expect(head).toContain(`set-cookie: k=${HIDDEN}`);
  });

  it('leaves out a header whose very name is the secret', async () => {
    upstream.answer = (_req, res) => res.writeHead(200, { [`X-${CANARY}`]: 'a', 'X-Other': 'b' }).end();
    const res = await rig.fetch(id, '/x');
    expect([...res.headers.keys()].join()).not.toContain(CANARY);
    expect(res.headers.get('x-other')).toBe('b');
  });

  it('finds it across a border of chunks and packets at every byte', async () => {
    const text = `<${CANARY}>`;
    for (let at = 1; at < text.length; at += 1) {
      upstream.answer = (_req, res) => {
        res.write(text.slice(0, at), () => setImmediate(() => res.end(text.slice(at))));
      };
      expect(await (await rig.fetch(id, '/x')).text()).toBe(`<${HIDDEN}>`);
    }
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
    ['gzip, br', (data: Buffer) => brotliCompressSync(gzipSync(data))],
  ])('finds it in a body packed with %s, which goes on unpacked', async (encoding, pack) => {
    upstream.answer = (req, res) => {
      const packed = pack(Buffer.from(`${'x'.repeat(50_000)}${credentialOf(req)}`));
      res
        .writeHead(200, { 'content-encoding': encoding, 'content-length': packed.length, etag: '"a"' })
        .end(packed);
    };
    const res = await rig.fetch(id, '/x');
    expect([res.headers.get('content-encoding'), res.headers.get('etag')]).toEqual([null, 'W/"a"']);
    expect(await res.text()).toBe(`${'x'.repeat(50_000)}Bearer ${HIDDEN}`);
  });

  it('finds a credential of a query and the password of a Basic pair', async () => {
    const basic = Buffer.from('user:pw-0123456789').toString('base64');
    const query = rig.register({
      base_url: upstream.url,
      auth: { shape: { type: 'query', name: 'key' }, value: 'q k/0123456789' },
    });
    const pair = rig.register({
      base_url: upstream.url,
      auth: { shape: { type: 'basic' }, value: `Basic ${basic}` },
    });
    upstream.answer = (req, res) => res.end(`bad url ${req.url}`);
    expect(await (await rig.fetch(query, '/x')).text()).not.toContain('0123456789');
    upstream.answer = (req, res) =>
      res.end(`bad pair ${Buffer.from(credentialOf(req).slice(6), 'base64')} ${req.headers.authorization}`);
    const text = await (await rig.fetch(pair, '/x')).text();
    expect(text).toMatch(/^bad pair user:\[redacted\]\** Basic \[redacted\]\**$/);
  });

  it.each(['compress', Array(6).fill('gzip').join()])(
    'answers 502 to an encoding it cannot see into: %s',
    async (encoding) => {
      upstream.answer = (_req, res) => res.writeHead(200, { 'content-encoding': encoding }).end('packed');
      const res = await rig.fetch(id, '/x');
      expect([res.status, res.headers.get('x-zeq-error')]).toEqual([502, 'upstream_invalid']);
    },
  );

  it.each(['gzip', 'gzip, chunked', 'gzip\r\nTransfer-Encoding: chunked', 'deflate, Chunked'])(
    'answers 502 to a transfer coding it never asked for: %j',
    async (coding) => {
      const packed = gzipSync(`Bearer ${CANARY}`);
      const raw = await new RawUpstream((socket) => {
        socket.write(
          `HTTP/1.1 200 OK\r\nTransfer-Encoding: ${coding}\r\n\r\n${packed.length.toString(16)}\r\n`,
        );
        socket.end(Buffer.concat([packed, Buffer.from('\r\n0\r\n\r\n')]));
      }).open();
      for (const auth of [BEARER, undefined]) {
        const res = await rig.fetch(rig.register({ base_url: raw.url, auth }), '/x');
        expect([res.status, res.headers.get('x-zeq-error')]).toEqual([502, 'upstream_invalid']);
      }
      await raw.close();
    },
  );

  it('breaks off visibly when packed bytes turn out not to be', async () => {
    const packed = gzipSync(randomBytes(100_000));
    packed.fill(0, 60_000);
    upstream.answer = (_req, res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end(packed);
    const res = await rig.fetch(id, '/x');
    await expect(res.arrayBuffer()).rejects.toThrow();
  });
});

describe('an answer without the secret', () => {
  it('passes byte by byte as it came, of any length and in any pieces', async () => {
    const body = randomBytes(3_000_000);
    body.write('s'.repeat(1_000), 65_000); // every one of them may begin the secret
    upstream.answer = (_req, res) => {
      for (let at = 0; at < body.length; at += 40_961) res.write(body.subarray(at, at + 40_961));
      res.end();
    };
    const got = Buffer.from(await (await rig.fetch(id, '/x')).arrayBuffer());
    expect(digest(got)).toBe(digest(body));
  });

  it('stays packed for an API that has no credential', async () => {
    const open = rig.register({ base_url: upstream.url, auth: undefined });
    const packed = gzipSync('plain');
    upstream.answer = (_req, res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end(packed);
    const res = await rig.fetch(open, '/x');
    expect(res.headers.get('content-encoding')).toBe('gzip');
    expect(await res.text()).toBe('plain');
  });

  it('is a stream whose first bytes wait for nothing but what may begin the secret', async () => {
    const raw = await new RawUpstream((socket) => socket.write(EVENTS)).open();
    const stream = rig.register({ base_url: raw.url });
    const res = await rig.fetch(stream, '/x');
    const { value } = await res.body!.getReader().read();
    expect(Buffer.from(value!).toString()).toBe('data: one\n\ndata: ');
    await raw.close();
  });
});

const EVENTS =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n1a\r\ndata: one\n\ndata: sk-canary\r\n';

describe('the messages of a WebSocket', () => {
  it('come without the secret, packed by no extension, across the frames of a message', async () => {
    const server = createServer();
    const sockets = new WebSocketServer({ server, perMessageDeflate: true });
    const offered: (string | undefined)[] = [];
    sockets.on('connection', (socket, req) => {
      offered.push(req.headers['sec-websocket-extensions']);
      const text = credentialOf(req);
      socket.on('message', () => {
        socket.send(text);
        socket.send(text.slice(0, 20), { fin: false });
        socket.ping();
        socket.send(text.slice(20), { fin: true });
        socket.send('and on');
      });
    });
    const live = rig.register({ base_url: `http://127.0.0.1:${await listenOn(server)}` });
    const socket = new WebSocket(rig.url(live, '/ws').replace('http', 'ws'), {
      headers: { 'x-zeq-service': rig.token() },
    });
    const heard: string[] = [];
    socket.on('message', (data: Buffer) => heard.push(data.toString()));
    await once(socket, 'open');
    socket.send('say it');
    await until(() => heard.length === 3, 'three messages');

    expect(heard).toEqual([`Bearer ${HIDDEN}`, `Bearer ${HIDDEN}`, 'and on']);
    expect([offered, socket.extensions]).toEqual([[undefined], '']);
    socket.terminate();
    sockets.close();
    server.close();
  });

  it('end when the upstream sends what no server may', async () => {
    const server = createServer();
    server.on('upgrade', (_req, socket: Socket) => {
      socket.on('error', () => socket.destroy());
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
      socket.write(Buffer.of(0x81, 0x81, 1, 2, 3, 4, 5));
    });
    const live = rig.register({ base_url: `http://127.0.0.1:${await listenOn(server)}` });
    const req = request(rig.url(live, '/ws'), {
      headers: { 'x-zeq-service': rig.token(), Connection: 'Upgrade', Upgrade: 'websocket' },
    }).end();
    const [, socket] = (await once(req, 'upgrade')) as [IncomingMessage, Socket];
    await once(socket.resume(), 'close');
    await until(() => rig.plane.live.size === 0, 'no open call');
    server.close();
  });
});

const digest = (data: Buffer) => createHash('sha256').update(data).digest('hex');
