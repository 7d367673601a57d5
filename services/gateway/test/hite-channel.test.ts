import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ADMIN_KEY, call, PLATFORM_KEY, type Rig, startRig } from './kit/gateway.ts';
import { HITE_SECRET, HiteClient, type Inner } from './kit/hite.ts';
import { owner, type Person } from './kit/people.ts';

const FORWARD = '/api/zeq/apis/alice/openai/forward/v1/chat';
/** What two answers to one question need not have in common. */
const OF_THE_MOMENT = ['x-request-id', 'x-zeq-request-id', 'server-timing', 'date', 'ratelimit'];
const OF_THE_HOP = ['connection', 'keep-alive', 'transfer-encoding'];

const bearer = ({ token }: Person) => ({ authorization: `Bearer ${token}` });

describe('a request inside the HITE channel', () => {
  let rig: Rig;
  let alice: Person;
  let client: HiteClient;
  beforeEach(async () => {
    rig = await startRig({ allServices: true, env: { ZEQ_HITE_SECRET: HITE_SECRET } });
    alice = rig.register.add(owner('alice'));
    client = await HiteClient.begin(rig.url);
  });
  afterEach(() => rig.stop());

  const json = { 'content-type': 'application/json' };
  const cases: [string, () => Inner][] = [
    ['a route of the gateway itself', () => ({ path: '/ready' })],
    ['a page', () => ({ path: '/api-docs' })],
    ['a large file', () => ({ path: '/api-docs/swagger-ui-bundle.js' })],
    ['a platform key', () => ({ path: '/api/v1/operators/all', headers: { 'x-api-key': PLATFORM_KEY } })],
    ['an operator key', () => ({ path: '/api/zeq/admin/machines', headers: { 'x-admin-key': ADMIN_KEY } })],
    ['a route of the vault', () => ({ path: '/api/zeq/apis/alice', headers: bearer(alice) })],
    [
      'a body for the vault',
      () => ({
        method: 'POST',
        path: '/api/zeq/apis/alice',
        headers: { ...bearer(alice), ...json },
        body: '{"a":1}',
      }),
    ],
    ['a route of the clock', () => ({ path: '/sync/status' })],
    ['a forwarded call', () => ({ path: `${FORWARD}?a=%2F&b`, headers: bearer(alice) })],
    [
      'a forwarded body',
      () => ({
        method: 'POST',
        path: FORWARD,
        headers: { ...bearer(alice), ...json },
        body: 'x'.repeat(200_000),
      }),
    ],
    ['a forwarded HEAD', () => ({ method: 'HEAD', path: FORWARD, headers: bearer(alice) })],
    ['a credential in the query', () => ({ path: `${FORWARD}?key=${alice.token}` })],
    ['nobody', () => ({ path: FORWARD })],
    ['a wrong token', () => ({ path: FORWARD, headers: { authorization: `Bearer zsm_${'a'.repeat(43)}` } })],
    ["somebody else's machine", () => ({ path: '/api/zeq/apis/bob', headers: bearer(alice) })],
    ['a path that does not exist', () => ({ path: '/nowhere' })],
    ['a method that is not allowed', () => ({ method: 'DELETE', path: '/health' })],
    [
      'a preflight',
      () => ({
        method: 'OPTIONS',
        path: FORWARD,
        headers: { origin: 'https://page.example.com', 'access-control-request-method': 'POST' },
      }),
    ],
    [
      'a page of a foreign origin',
      () => ({ path: FORWARD, headers: { ...bearer(alice), origin: 'https://evil.example' } }),
    ],
    [
      'a cookie without the page',
      () => ({ method: 'POST', path: '/api/zeq/session/cookie', headers: { cookie: 'zeq_session=abc' } }),
    ],
  ];

  it.each(cases)('is answered as if it had come plainly: %s', async (_name, inner) => {
    const { method = 'GET', path, headers = {}, body } = inner();
    const host = { host: `127.0.0.1:${rig.port}` };
    const plain = await call(rig.url + path, { method, headers, ...(body !== undefined && { body }) });
    const seenPlain = lastSeen(rig);

    const sealed = await client.call({
      method,
      path,
      headers: { ...host, ...headers },
      ...(body !== undefined && { body }),
    });

    expect(sealed.status).toBe(plain.status);
    expect(withoutIds(sealed.text)).toBe(withoutIds(plain.text));
    expect(comparable(sealed.headers)).toEqual(comparable(plain.headers));
    expect(lastSeen(rig)).toEqual(seenPlain);
  });

  it('names nothing outside: neither path nor status nor what it asks for', async () => {
    const counter = client.nextCounter();
    const frame = await client.seal({ path: '/api/zeq/apis/alice' }, counter);

    const outer = await client.send(frame);

    expect([outer.status, outer.headers['content-type']]).toEqual([200, 'application/x-zeq-hite']);
    expect(outer.headers['x-zeq-error']).toBeUndefined();
    expect((await client.open(counter, [outer.body])).status).toBe(401);
  });

  it('is counted once, for the address that the frame came from', async () => {
    await rig.stop();
    const env = { ZEQ_HITE_SECRET: HITE_SECRET, RATE_LIMIT_RPM: '5', ZEQ_TRUSTED_PROXIES: '127.0.0.1' };
    rig = await startRig({ env });
    client = await HiteClient.begin(rig.url);

    const statuses: number[] = [];
    for (let i = 0; i < 5; i += 1)
      statuses.push(
        (await client.call({ path: '/nowhere', headers: { 'x-forwarded-for': `203.0.113.${i}` } })).status,
      );

    expect(statuses).toEqual([404, 404, 404, 404, 429]); // the handshake was one
  });

  it.each(['/api/hite/handshake', '/api/hite/channel', '/api/%68ite/channel'])(
    'does not reach the channel again: %s',
    async (path) => {
      const reply = await client.call({
        method: 'POST',
        path,
        headers: json,
        body: `{"clientNonce":"${'0'.repeat(64)}"}`,
      });

      expect([400, 404]).toContain(reply.status);
      expect(reply.text).not.toContain('sessionId');
    },
  );

  it('has an access line of its own, under the id of the frame', async () => {
    const counter = client.nextCounter();
    const outer = await client.send(await client.seal({ path: '/ready' }, counter));

    const ofFrame = () =>
      rig.lines
        .map((line) => JSON.parse(line))
        .filter(({ msg, request_id: id }) => msg === 'request' && id === outer.headers['x-request-id']);
    while (ofFrame().length < 2) await sleep(5); // a line is written when its request is over
    expect(
      ofFrame()
        .map(({ route, status }) => [route, status])
        .sort(),
    ).toEqual([
      ['/api/hite/channel', 200],
      ['/ready', 200],
    ]);
  });

  describe('with an answer that is a stream', () => {
    let asked: Promise<{ req: IncomingMessage; res: ServerResponse }>;
    beforeEach(() => {
      asked = new Promise((resolve) => {
        rig.forwarder.answer = (req, res) => resolve({ req, res });
      });
    });
    const open = () => client.stream({ path: FORWARD, headers: bearer(alice) });

    it('brings each event as it comes, in a frame of its own', async () => {
      const opening = open();
      const { res } = await asked;
      res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      const { parts } = await opening;
      const head = await parts.next();
      expect(String(Buffer.from(head.value!.payload))).toContain('"status":200');

      for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
        res.write(event);
        const part = await parts.next();
        expect([part.value!.kind, Buffer.from(part.value!.payload).toString()]).toEqual(['data', event]);
      }

      res.end();
      expect((await parts.next()).value).toMatchObject({ kind: 'end' });
    });

    it('ends without its end frame when the inner answer breaks', async () => {
      const opening = open();
      const { res } = await asked;
      res.writeHead(200).write('half');
      const { parts, answer } = await opening;
      answer.on('error', () => undefined); // the connection is cut: that is the sign
      expect((await parts.next()).value!.kind).toBe('head');
      expect((await parts.next()).value!.kind).toBe('data');

      res.destroy();

      await expect(parts.next()).rejects.toThrow();
      expect(answer.complete).toBe(false);
    });

    it('ends without its end frame when the token is revoked', async () => {
      const opening = open();
      const { res } = await asked;
      res.writeHead(200).write('begun');
      const { parts, answer } = await opening;
      answer.on('error', () => undefined);
      await parts.next();
      const { caller } = alice.answer;

      if (caller.kind === 'owner') rig.feed.change('key_revoked', caller.key_id, caller.machine_id);

      await expect(
        (async () => {
          while (!(await parts.next()).done);
        })(),
      ).rejects.toThrow();
    });

    it('lets the forwarder see that the client left', async () => {
      const opening = open();
      const { req, res } = await asked;
      res.writeHead(200).write('begun');
      const { answer } = await opening;
      const closed = new Promise((resolve) => req.on('error', () => undefined).on('close', resolve));

      answer.destroy();

      await closed;
      expect(res.destroyed).toBe(true);
    });

    it('holds the forwarder back while the client does not read', async () => {
      const opening = open();
      const { res } = await asked;
      res.writeHead(200).flushHeaders();
      const { answer } = await opening;
      answer.pause();
      const block = Buffer.alloc(64 * 1024);
      let sent = 0;

      while (sent < 256 * 1024 * 1024) {
        sent += block.length;
        if (!res.write(block) && (await Promise.race([once(res, 'drain'), sleep(300, 'full')])) === 'full')
          break;
      }

      expect(sent).toBeLessThan(64 * 1024 * 1024);
      answer.destroy();
    });

    it('arrives whole however long it is', async () => {
      const body = Buffer.alloc(5_000_000, 'zeq');
      rig.forwarder.answer = (_req, res) =>
        void res.writeHead(200, { 'content-length': body.length }).end(body);

      const reply = await client.call({ path: FORWARD, headers: bearer(alice) });

      expect(reply.text === body.toString()).toBe(true);
    });
  });
});

/** What the service behind the route saw of the request. */
function lastSeen({ vault, forwarder, engine }: Rig) {
  return [vault, forwarder, engine].map(({ seen }) => {
    const last = seen.filter(({ url }) => url !== '/internal/identify').at(-1);
    if (last === undefined) return undefined;
    const { connection: _hop, 'x-request-id': _id, 'x-zeq-service': _token, ...rest } = last.headers;
    const { 'x-zeq-trace': _trace, ...headers } = rest;
    return { ...last, headers, rawHeaders: [], claims: last.claims?.caller };
  });
}

const withoutIds = (text: string): string => text.replace(/"request_id":"[^"]*"|"uptime":\d+/g, '');

function comparable(headers: Record<string, unknown>): Record<string, unknown> {
  const left = Object.entries(headers).filter(([name]) => ![...OF_THE_MOMENT, ...OF_THE_HOP].includes(name));
  return Object.fromEntries(left);
}
