import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { type Rig, startRig } from './kit/gateway.ts';
import { owner, type Person } from './kit/people.ts';

const PATH = '/api/zeq/apis/alice/realtime/forward/v1/socket';
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

describe('WebSocket through the lean path', () => {
  let rig: Rig;
  let alice: Person;
  let seen: IncomingMessage[];
  let behind: Socket[];
  beforeEach(async () => {
    rig = await startRig();
    alice = rig.register.add(owner('alice'));
    seen = [];
    behind = [];
    rig.forwarder.onUpgrade((req, socket, head) => {
      seen.push(req);
      behind.push(socket);
      socket.on('error', () => socket.destroy());
      const accept = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      if (head.length > 0) socket.write(head);
      socket.pipe(socket);
    });
  });
  afterEach(() => rig.stop());

  const headers = (more: Record<string, string> = {}) => ({
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': KEY,
    Authorization: `Bearer ${alice.token}`,
    ...more,
  });

  function ask(more: Record<string, string> = {}, path = PATH): ClientRequest {
    const req = request(`${rig.url}${path}`, { headers: headers(more), agent: false });
    return req.end();
  }

  async function open(more: Record<string, string> = {}): Promise<[IncomingMessage, Socket]> {
    const [answer, socket] = (await once(ask(more), 'upgrade')) as [IncomingMessage, Socket];
    return [answer, socket];
  }

  async function refusal(more: Record<string, string>, path = PATH): Promise<[number | undefined, unknown]> {
    const [answer] = (await once(ask(more, path), 'response')) as [IncomingMessage];
    answer.resume();
    expect(answer.headers['x-zeq-landauer-bits']).toBe('256');
    await once(answer, 'end');
    return [answer.statusCode, answer.headers['x-zeq-error']];
  }

  it('carries bytes both ways after a handshake that is signed for the caller', async () => {
    const [answer, socket] = await open();

    socket.write('ping');
    const [echo] = await once(socket, 'data');

    expect(String(echo)).toBe('ping');
    expect(answer.headers).toMatchObject({
      'sec-websocket-accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
      'x-zeq-landauer-bits': '256',
    });
    expect(seen[0]?.headers.authorization).toBeUndefined();
    expect(rig.forwarder.claims(seen[0]!)?.caller).toEqual(alice.answer.caller);
    socket.destroy();
  });

  it('ends one side when the other ends', async () => {
    const [, fromClient] = await open();
    const [, fromUpstream] = await open();

    fromClient.destroy();
    behind[1]?.destroy();

    await Promise.all([once(behind[0]!, 'close'), once(fromUpstream, 'close')]);
  });

  it('is cut when the token is revoked', async () => {
    const [, socket] = await open();
    const { caller } = alice.answer;

    if (caller.kind === 'owner') rig.feed.change('key_revoked', caller.key_id, caller.machine_id);

    await Promise.all([once(socket, 'close'), once(behind[0]!, 'close')]);
  });

  it.each([
    ['nobody', { Authorization: 'Bearer x' }, [401, 'unauthorized']],
    ['a page of a foreign origin', { Origin: 'https://evil.example.net' }, [403, 'origin_refused']],
    ['a page of no origin', { Origin: 'null' }, [403, 'origin_refused']],
    ['another version', { 'Sec-WebSocket-Version': '777' }, [400, 'bad_request']],
    ['a key that is none', { 'Sec-WebSocket-Key': 'short' }, [400, 'bad_request']],
    ['a body', { 'Content-Length': '5' }, [400, 'bad_request']],
  ])('refuses %s', async (_who, more, wanted) => {
    expect(await refusal(more)).toEqual(wanted);
    expect(seen).toEqual([]);
  });

  it('refuses a path that is no socket, and the slug of somebody else', async () => {
    expect(await refusal({}, '/api/zeq/apis/alice')).toEqual([404, 'not_found']);
    expect(await refusal({}, PATH.replace('alice', 'bob'))).toEqual([404, 'not_found']);
  });

  it.each(['https://page.example.com', 'ORIGIN'])('lets in a page of %s', async (origin) => {
    const [answer, socket] = await open({ Origin: origin === 'ORIGIN' ? rig.url : origin });

    expect(answer.statusCode).toBe(101);
    socket.destroy();
  });

  it("passes on the forwarder's own refusal", async () => {
    rig.forwarder.server.removeAllListeners('upgrade');
    rig.forwarder.answer = (_req, res) =>
      res.writeHead(409, { 'x-zeq-error': 'credential_missing', 'content-length': 2 }).end('no');

    expect(await refusal({})).toEqual([409, 'credential_missing']);
  });

  it('answers 503 when the forwarder is away', async () => {
    await rig.forwarder.stop();

    expect(await refusal({})).toEqual([503, 'service_unavailable']);
    await rig.forwarder.start();
  });

  it('does not let h2c or an unknown protocol through', async () => {
    const req = request(`${rig.url}${PATH}`, {
      headers: headers({ Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAAQAAP__' }),
      agent: false,
    }).end();

    const [answer] = (await once(req, 'response')) as [IncomingMessage];

    answer.resume();
    expect(answer.statusCode).toBe(200);
    expect(rig.forwarder.seen[0]?.headers.upgrade).toBeUndefined();
  });
});
