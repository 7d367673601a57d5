import { randomBytes } from 'node:crypto';
import { sealHiteClientRequest } from '@zeq/crypto/web';
import fc from 'fast-check';
import { type Rig, startRig } from './kit/gateway.ts';
import { HITE_SECRET, HiteClient } from './kit/hite.ts';
import { owner, type Person } from './kit/people.ts';

const FORWARD = '/api/zeq/apis/alice/openai/forward/echo';
const SMUGGLED = `GET ${FORWARD}/__smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n`;

describe('a hostile request inside the HITE channel', () => {
  let rig: Rig;
  let alice: Person;
  let client: HiteClient;
  beforeAll(async () => {
    rig = await startRig({ env: { ZEQ_HITE_SECRET: HITE_SECRET, DOMAIN: 'gateway.example.com' } });
    alice = rig.register.add(owner('alice'));
    client = await HiteClient.begin(rig.url);
  });
  afterAll(() => rig.stop());

  /** Whatever a client puts into a frame. @returns The status of the sealed answer. */
  async function say(inner: unknown): Promise<number> {
    const counter = client.nextCounter();
    const text = typeof inner === 'string' ? inner : JSON.stringify(inner);
    const frame = await sealHiteClientRequest(client.session, counter, Uint8Array.from(Buffer.from(text)));
    const outer = await client.send(frame);
    expect([outer.status, outer.headers['x-zeq-error']]).toEqual([200, undefined]);
    return (await client.open(counter, [outer.body])).status;
  }

  const get = (more: object) => ({
    method: 'GET',
    path: FORWARD,
    ...more,
    headers: { authorization: `Bearer ${alice.token}`, ...(more as { headers?: object }).headers },
  });
  const post = (headers: object, body: string) =>
    get({ method: 'POST', headers, body: Buffer.from(body).toString('base64') });

  const cases: [string, () => unknown, number][] = [
    ['no JSON', () => 'GET / HTTP/1.1', 400],
    ['a name given twice', () => '{"method":"GET","path":"/health","path":"/ready"}', 400],
    ['a field that is not known', () => ({ method: 'GET', path: '/health', url: '/ready' }), 400],
    ['a method in small letters', () => get({ method: 'get' }), 400],
    ['a method with a blank', () => get({ method: 'GET /x' }), 400],
    ['a method that nobody knows', () => get({ method: 'FETCH' }), 400],
    ['a tunnel', () => get({ method: 'CONNECT' }), 405],
    ['a trace', () => get({ method: 'TRACE' }), 405],
    ['a target of another host', () => get({ path: 'http://evil.example/' }), 400],
    ['a target with a blank', () => get({ path: `${FORWARD} HTTP/1.1` }), 400],
    ['a target with a new line', () => get({ path: `/health HTTP/1.1\r\nX-A: b\r\n\r\n${SMUGGLED}` }), 400],
    ['a target with a fragment', () => get({ path: '/health#x' }), 400],
    ['a target that is too long', () => get({ path: `/${'a'.repeat(9000)}` }), 400],
    ['dot segments', () => get({ path: '/api/../health' }), 400],
    ['a header name with a colon', () => get({ headers: { 'x-a:b': 'c' } }), 400],
    ['a header name with a new line', () => get({ headers: { 'x-a\r\nx-b': 'c' } }), 400],
    ['a header value with a new line', () => get({ headers: { 'x-a': `b\r\n\r\n${SMUGGLED}` } }), 400],
    ['a header value with a bare line feed', () => get({ headers: { 'x-a': 'b\nx-c: d' } }), 400],
    ['a header value with a NUL', () => get({ headers: { 'x-a': 'b\0' } }), 400],
    ['a header value beyond Latin-1', () => get({ headers: { 'x-a': 'b\u{10d}' } }), 400],
    ['chunks', () => post({ 'transfer-encoding': 'chunked' }, `0\r\n\r\n${SMUGGLED}`), 400],
    ['a shorter length', () => post({ 'content-length': '0' }, SMUGGLED), 400],
    ['a longer length', () => post({ 'content-length': '9999' }, 'x'), 400],
    ['a length with a sign', () => post({ 'content-length': '+1' }, 'x'), 400],
    ['two hosts', () => get({ headers: { host: 'gateway.example.com', Host: 'localhost' } }), 400],
    ['a host with a path', () => get({ headers: { host: 'localhost/x' } }), 400],
    ['a foreign host', () => get({ headers: { host: 'evil.example' } }), 421],
    ['two credentials', () => get({ headers: { Authorization: `Bearer ${owner('bob').token}` } }), 400],
    ['an expectation', () => get({ headers: { expect: 'the-unexpected' } }), 417],
    ['too many headers', () => get({ headers: manyHeaders(202) }), 431],
    ['far too many headers', () => get({ headers: manyHeaders(3000) }), 400],
    ['a head that is too long', () => get({ headers: { 'x-a': 'b'.repeat(40_000) } }), 431],
    ['a socket', () => get({ headers: { connection: 'Upgrade', upgrade: 'websocket' } }), 501],
  ];

  it.each(cases)('is refused, sealed: %s', async (_name, inner, status) => {
    expect(await say(inner())).toBe(status);
    expect(rig.forwarder.seen.some(({ url }) => url.includes('__smuggled'))).toBe(false);
  });

  it('cannot say who it is: what only the mesh may say is taken out', async () => {
    await say(
      get({ headers: { 'x-zeq-service': 'forged', 'x-zeq-caller': 'x', 'x-forwarded-for': '8.8.8.8' } }),
    );

    const { headers, claims } = rig.forwarder.seen.at(-1)!;
    expect([headers['x-zeq-caller'], headers['x-forwarded-for']]).toEqual([undefined, undefined]);
    expect(claims?.caller).toEqual(alice.answer.caller);
  });

  it('reaches a service at most once, and as what it says, whatever its headers and body are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(
          fc.string({ unit: 'binary', maxLength: 20 }),
          fc.string({ unit: 'binary', maxLength: 40 }),
          { maxKeys: 5 },
        ),
        fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.constant(Buffer.from(SMUGGLED))),
        async (headers, body) => {
          const before = rig.forwarder.seen.length;
          const status = await say(post(headers, Buffer.from(body).toString('latin1')));
          const seen = rig.forwarder.seen.slice(before);
          expect(seen.length).toBe(status === 200 ? 1 : 0);
          expect(seen.every(({ url, method }) => url === FORWARD && method === 'POST')).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('leaves the gateway as it was', async () => {
    await expect(say(get({}))).resolves.toBe(200);
  });
});

const manyHeaders = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_x, i) => [`x-${i}`, randomBytes(2).toString('hex')]));
