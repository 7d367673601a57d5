import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, type Rig, startRig } from './kit/gateway.ts';
import { owner, type Person } from './kit/people.ts';

const PATH = '/api/zeq/apis/alice/openai/forward/v1/stream';
/** The abort has to be seen upstream within this time (ms); a machine that is busy with other tests is allowed for. */
const SOON_MS = 2_000;

describe('streams through the lean path', () => {
  let rig: Rig;
  let alice: Person;
  /** What the forwarder was asked last. */
  let asked: Promise<{ req: IncomingMessage; res: ServerResponse }>;
  beforeEach(async () => {
    rig = await startRig({ forwarderPath: join(mkdtempSync(join(tmpdir(), 'gateway-')), 'f.sock') });
    alice = rig.register.add(owner('alice'));
    asked = new Promise((resolve) => {
      rig.forwarder.answer = (req, res) => resolve({ req, res });
    });
  });
  afterEach(() => rig.stop());

  function open(method = 'GET', headers: Record<string, string> = {}): ClientRequest {
    const req = request(`${rig.url}${PATH}`, {
      method,
      headers: { authorization: `Bearer ${alice.token}`, ...headers },
      agent: false,
    });
    req.on('error', () => undefined); // broken off by the test
    return req;
  }

  const answerOf = async (req: ClientRequest) => (await once(req, 'response'))[0] as IncomingMessage;

  it('sends the head before there is a body, and each event as it comes', async () => {
    const client = open().end();
    const { res } = await asked;
    res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    const answer = await answerOf(client);

    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      res.write(event);
      const [chunk] = await once(answer, 'data');
      expect(String(chunk)).toBe(event);
    }

    res.end();
    await once(answer, 'end');
    expect(answer.complete).toBe(true);
  });

  it('resets the connection of an HTTP/1.0 caller when an answer breaks, to whom closing would be its end', async () => {
    const { hostname, port } = new URL(rig.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      `GET ${PATH} HTTP/1.0\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${alice.token}\r\n\r\n`,
    );
    const { res } = await asked;
    res.writeHead(200).write('half');
    await once(socket, 'data');

    res.destroy();

    await expect(once(socket, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it.each([
    ['in chunks', {}],
    ['of a stated length', { 'content-length': 100 }],
  ])('breaks the client off visibly when an answer %s breaks', async (_name, headers) => {
    const client = open().end();
    const { res } = await asked;
    res.writeHead(200, headers).write('half');
    const answer = await answerOf(client);
    answer.resume();

    res.destroy();

    await expect(once(answer, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(answer.complete).toBe(false);
  });

  it('answers 503 while nothing has been answered yet', async () => {
    const client = open().end();
    const { req } = await asked;

    req.socket.destroy();

    const answer = await answerOf(client);
    expect(answer.statusCode).toBe(503);
    expect(answer.headers).toMatchObject({ 'x-zeq-error': 'service_unavailable', 'retry-after': '1' });
  });

  it('answers 503 when the forwarder is away, and goes on when it is back', async () => {
    await rig.forwarder.stop();
    const headers = { authorization: `Bearer ${alice.token}` };
    const away = await call(`${rig.url}${PATH}`, { headers });
    rig.forwarder.answer = undefined;
    await rig.forwarder.start(rig.forwarder.url.slice('unix:'.length));

    const back = await call(`${rig.url}${PATH}`, { headers });

    expect(away.json()).toMatchObject({ status: 503, code: 'service_unavailable' });
    expect(away.headers['x-zeq-landauer-bits']).toBe('256');
    expect(back.status).toBe(200);
  });

  it.each([
    ['before the head', async () => undefined],
    ['within the body', async (res: ServerResponse) => void res.writeHead(200).write('begun')],
  ])('lets the forwarder see at once that a client left %s', async (_stage, begin) => {
    const client = open().end();
    const { req, res } = await asked;
    await begin(res);
    if (res.headersSent) await answerOf(client);

    client.destroy();

    await Promise.race([closeOf(req), late()]);
  });

  it('lets the forwarder see at once that a client left within its upload', async () => {
    const client = open('POST', { 'content-length': '200000' });
    client.write(Buffer.alloc(100_000));
    const { req } = await asked;
    req.resume();

    client.destroy();

    await Promise.race([closeOf(req), late()]);
    expect(req.complete).toBe(false);
  });

  it('hands on nothing of a small body that its client did not finish', async () => {
    const client = open('POST', { 'content-length': '50' });
    client.write('hello');
    await sleep(50);
    client.destroy();

    await expect(Promise.race([asked, sleep(100, 'nothing')])).resolves.toBe('nothing');
  });

  it.each([
    ['of a stated length', { 'content-length': 3 }],
    ['in chunks', {}],
  ])(
    'passes an answer %s before the end of an upload whose sender closes the connection, as nginx does',
    async (_name, headers) => {
      const { hostname, port } = new URL(rig.url);
      const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
      const head = `POST ${PATH} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${alice.token}\r\nConnection: close\r\n`;
      socket.write(`${head}Content-Length: 2000000\r\n\r\n`);
      const { res } = await asked;
      let answer = '';
      socket.on('data', (chunk) => {
        answer += chunk.toString('latin1');
      });

      res.writeHead(413, headers).end('big');
      await once(socket, 'end'); // its sender sees that it is whole, and goes on with what it has begun
      for (let i = 0; i < 20; i += 1) {
        socket.write('x'.repeat(100_000));
        await sleep(1);
      }
      socket.end();
      await once(socket, 'close');

      expect(answer).toMatch(/^HTTP\/1.1 413 [\s\S]*big(?:\r\n0\r\n\r\n)?$/);
    },
  );

  it('passes an answer that comes before the end of the upload, and the client can read it', async () => {
    const client = open('POST', { 'content-length': String(64 * 1024 * 1024) });
    client.write(Buffer.alloc(100_000));
    const { res } = await asked;
    res.writeHead(413, { 'content-length': 3 }).end('big');

    const answer = await answerOf(client);
    const [chunk] = await once(answer, 'data');

    expect([answer.statusCode, String(chunk)]).toEqual([413, 'big']);
  });

  it('holds the forwarder back while the client does not read', async () => {
    const client = open().end();
    const { res } = await asked;
    res.writeHead(200).flushHeaders();
    const answer = await answerOf(client);
    answer.pause();
    let sent = 0;
    const block = Buffer.alloc(64 * 1024);

    while (sent < 256 * 1024 * 1024) {
      sent += block.length;
      if (!res.write(block) && (await Promise.race([once(res, 'drain'), sleep(300, 'full')])) === 'full')
        break;
    }

    expect(sent).toBeLessThan(64 * 1024 * 1024);
    client.destroy();
  });

  it('cuts a running stream when its token is revoked, and refuses the next call', async () => {
    const client = open().end();
    const { res } = await asked;
    res.writeHead(200).write('begun');
    const answer = await answerOf(client);
    answer.resume();
    const { caller } = alice.answer;

    rig.register.remove(alice);
    if (caller.kind === 'owner') rig.feed.change('key_revoked', caller.key_id, caller.machine_id);

    await expect(once(answer, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });
    const next = await call(`${rig.url}${PATH}`, { headers: { authorization: `Bearer ${alice.token}` } });
    expect(next.json()).toMatchObject({ status: 401, code: 'unauthorized' });
  });

  it('sends 100 Continue to a client that waits for it, but not when it refuses', async () => {
    const client = open('POST', { 'content-length': '5', expect: '100-continue' });
    const stranger = open('POST', {
      'content-length': '5',
      expect: '100-continue',
      authorization: 'Bearer x',
    });
    let invited = false;
    stranger.on('continue', () => {
      invited = true;
    });
    const refused = answerOf(stranger);
    stranger.flushHeaders();
    client.flushHeaders();

    await once(client, 'continue');
    client.end('hello');
    const { req, res } = await asked;
    res.end();
    const refusal = await refused;

    expect(req.headers.expect).toBeUndefined();
    expect([refusal.statusCode, refusal.headers.connection, invited]).toEqual([401, 'close', false]);
  });
});

/** A request that broke off closes with an error, which is what is looked for. */
const closeOf = (req: IncomingMessage) =>
  new Promise((resolve) => req.on('error', () => undefined).on('close', resolve));

const late = async () => {
  await sleep(SOON_MS);
  throw new Error(`not seen within ${SOON_MS} ms`);
};
