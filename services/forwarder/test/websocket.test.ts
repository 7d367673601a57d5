import { createServer, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AppCaller } from '@zeq/contracts';
import { BEARER, listenOn, Rig, SLUG, until } from './rig.ts';
import { valuesOf } from './upstream.ts';

const ACCEPT =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: yes\r\nX-Zeq-Error: no\r\n\r\n';

let rig: Rig;
let shook: IncomingMessage[];
let tunnels: Duplex[];
let refuse: string | undefined;
let url: string;
const server = createServer((_req, res) => res.writeHead(426).end('upgrade'));

beforeAll(async () => {
  rig = await Rig.start();
  server.on('upgrade', (req, socket: Duplex, head: Buffer) => {
    shook.push(req);
    tunnels.push(socket);
    socket.on('error', () => socket.destroy());
    if (refuse !== undefined) return void socket.end(refuse);
    socket.write(ACCEPT);
    socket.write(head);
    socket.pipe(socket);
  });
  url = `http://127.0.0.1:${await listenOn(server)}`;
});

afterAll(async () => {
  await rig.stop();
  for (const tunnel of tunnels) tunnel.destroy();
  server.close();
});

beforeEach(() => {
  shook = [];
  tunnels = [];
  refuse = undefined;
});

const HANDSHAKE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

/** A caller's side: sends its handshake at once and collects what comes. */
class Caller {
  heard = '';
  closed = false;
  readonly socket: Socket;

  constructor(id: string, rest = '/ws', more = '', caller?: AppCaller) {
    this.socket = connect(rig.port, '127.0.0.1');
    this.socket
      .on('error', () => this.socket.destroy())
      .on('close', () => {
        this.closed = true;
      });
    this.socket.on('data', (chunk) => {
      this.heard += chunk.toString('latin1');
    });
    this.socket.write(rig.head('GET', id, rest, HANDSHAKE, caller) + more);
  }

  get body(): string {
    return this.heard.slice(this.heard.indexOf('\r\n\r\n') + 4);
  }

  async open(): Promise<this> {
    await until(() => this.heard.includes('\r\n\r\n'), 'an answer');
    return this;
  }
}

describe('a WebSocket handshake', () => {
  it('is answered by the upstream, and bytes go both ways from then on', async () => {
    const caller = await new Caller(rig.register({ base_url: url }), '/ws?x=1', 'early').open();
    await until(() => caller.body === 'early', 'the early bytes');

    caller.socket.write(Buffer.from([0, 0xff, 32, 109, 111, 114, 101]));
    await until(() => caller.body.length === 12, 'the echo');
    caller.socket.end();
    await until(() => rig.plane.live.size === 0, 'the end');

    expect(caller.heard).toMatch(
      /^HTTP\/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/,
    );
    expect(caller.heard).toMatch(/sec-websocket-accept: yes\r\n/);
    expect(caller.heard).not.toMatch(/x-zeq-error/i);
    const { rawHeaders, url: path } = shook[0]!;
    expect(path).toBe('/ws?x=1');
    expect(valuesOf(rawHeaders, 'authorization')).toEqual([BEARER.value]);
    expect(valuesOf(rawHeaders, 'sec-websocket-key')).toEqual(['dGhlIHNhbXBsZSBub25jZQ==']);
    expect(valuesOf(rawHeaders, 'x-zeq-service')).toEqual([]);
  });

  it('that the upstream refuses gets the upstream’s own answer', async () => {
    refuse = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno';
    const caller = await new Caller(rig.register({ base_url: url })).open();
    await until(() => caller.closed, 'the end');

    expect(caller.heard).toMatch(/^HTTP\/1.1 403 Forbidden\r\n/);
    expect(caller.body).toBe('no');
    expect(caller.heard).not.toMatch(/x-zeq-error/i);
  });

  it.each<[string, () => string, number, string, string?]>([
    ['an unknown API', () => 'nothing', 404, 'not_found'],
    [
      'an API without its credential',
      () => rig.register({ base_url: url, auth_state: 'missing' }),
      409,
      'credential_missing',
    ],
    ['a refused address', () => rig.register({ base_url: 'http://10.0.0.1' }), 502, 'egress_refused'],
    ['a path that climbs', () => rig.register({ base_url: url }), 400, 'invalid_path', '/a/%2e%2e/b'],
    ['a dead upstream', () => rig.register({ base_url: 'http://127.0.0.1:4999' }), 502, 'connect_failed'],
  ])('to %s is refused like any request', async (_what, id, status, code, rest = '/ws') => {
    const caller = await new Caller(id(), rest).open();
    await until(() => caller.closed, 'the end');

    expect(caller.heard).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(caller.heard).toContain(`X-Zeq-Error: ${code}`);
    expect(shook).toEqual([]);
  });

  it('counts against the limit', async () => {
    const id = rig.register({ base_url: url, rate_limit_per_min: 1 });
    const first = await new Caller(id).open();
    const second = await new Caller(id).open();

    expect([first.heard.slice(9, 12), second.heard.slice(9, 12)]).toEqual(['101', '429']);
    first.socket.destroy();
  });

  it('of another protocol is an ordinary request', async () => {
    const answer = await rig.raw(
      rig.head('GET', rig.register({ base_url: url }), '/x', ['Connection: Upgrade, close', 'Upgrade: h2c']),
    );

    expect(answer).toMatch(/^HTTP\/1.1 426 /);
    expect(shook).toEqual([]);
  });

  it('outside the forward path answers 404', async () => {
    const answer = await rig.raw(`GET /health HTTP/1.1\r\nHost: mesh\r\n${HANDSHAKE.join('\r\n')}\r\n\r\n`);

    expect(answer).toMatch(/^HTTP\/1.1 404 /);
  });
});

describe('an open WebSocket', () => {
  it.each([
    ['its token', (token: string) => rig.vault.change('token_revoked', rig.machineId, token)],
    ['its API', (_token: string, id: string) => rig.vault.remove(id)],
    ['its machine', () => rig.vault.change('machine_removed', rig.machineId, rig.machineId)],
  ])('is cut on both sides when %s is revoked', async (_what, revoke) => {
    const id = rig.register({ base_url: url });
    const app = rig.app([id]);
    const caller = await new Caller(id, '/ws', '', app).open();

    revoke(app.token_id, id);
    await until(() => caller.closed && tunnels[0]!.destroyed, 'both ends');

    await until(() => rig.plane.live.size === 0, 'no open calls');
  });

  it('ends for the caller when the upstream ends, and the other way round', async () => {
    const id = rig.register({ base_url: url });
    const [one, two] = [await new Caller(id).open(), await new Caller(id).open()];

    tunnels[0]!.destroy();
    two.socket.destroy();
    await until(() => one.closed && tunnels[1]!.destroyed, 'both ends');

    await until(() => rig.plane.live.size === 0, 'no open calls');
  });

  it('ends after the idle time', async () => {
    const caller = await new Caller(rig.register({ base_url: url, policy: { idle_timeout_ms: 150 } })).open();

    await until(() => caller.closed && tunnels[0]!.destroyed, 'both ends');
  });

  it('of a caller that leaves during the handshake is closed upstream', async () => {
    const waiting = createServer();
    const held: Duplex[] = [];
    waiting.on('upgrade', (_req, socket: Duplex) => {
      held.push(socket);
      socket.on('error', () => socket.destroy()).resume();
    });
    const id = rig.register({ base_url: `http://127.0.0.1:${await listenOn(waiting)}` });
    const caller = new Caller(id);
    await until(() => held.length === 1, 'the handshake');

    caller.socket.destroy();
    await until(() => held[0]!.readableEnded || held[0]!.destroyed, 'the end');

    await until(() => rig.plane.live.size === 0, 'no open calls');
    waiting.close();
  });

  it('is logged at its end', async () => {
    rig.lines.length = 0;
    const caller = await new Caller(rig.register({ base_url: url })).open();
    caller.socket.destroy();
    await until(() => rig.lines.length === 1, 'the line');

    expect(JSON.parse(rig.lines[0]!)).toMatchObject({ msg: 'request', status: 101, who: `owner:${SLUG}` });
  });
});
