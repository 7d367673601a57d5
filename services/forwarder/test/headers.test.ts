import { BEARER, CANARY, Rig } from './rig.ts';
import { RawUpstream, Upstream, valuesOf } from './upstream.ts';

let rig: Rig;
let upstream: Upstream;

beforeAll(async () => {
  [rig, upstream] = await Promise.all([Rig.start(), new Upstream().open()]);
});

afterAll(() => Promise.all([rig.stop(), upstream.close()]));

const close = 'Connection: close';

/** The raw pairs that the upstream sees of a call with these header lines. */
async function seenWith(id: string, lines: string[], rest = '/x'): Promise<string[]> {
  const answer = await rig.raw(rig.head('GET', id, rest, [...lines, close]));
  expect(answer).toMatch(/^HTTP\/1.1 200 /);
  return upstream.last.raw;
}

const HEADER = (name: string) => ({ shape: { type: 'header', name } as const, value: CANARY });

describe('the headers that an upstream sees', () => {
  it('are the caller’s own, byte for byte and in order, then ours', async () => {
    const id = rig.register({ base_url: upstream.url });

    const raw = await seenWith(id, ['X-One: 1', 'user-agent: Agent/1.0', 'X-One: 2', 'X-Latin: caf\xe9']);

    expect(raw).toEqual([
      'host',
      `127.0.0.1:${upstream.port}`,
      'connection',
      'keep-alive',
      'X-One',
      '1',
      'user-agent',
      'Agent/1.0',
      'X-One',
      '2',
      'X-Latin',
      'caf\xc3\xa9', // what the test wrote as UTF-8 arrives as the same two bytes
      'accept-encoding',
      'identity',
      'cdn-loop',
      'zeq-mesh',
      'Authorization',
      BEARER.value,
    ]);
  });

  it('continue a trace of the caller under a span of our own, and tell nothing of one that we began', async () => {
    const id = rig.register({ base_url: upstream.url });
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const parent = `00-${trace}-00f067aa0ba902b7-01`;

    const callers = await seenWith(id, [`traceparent: ${parent}`, 'tracestate: vendor=x']);
    const ours = await seenWith(id, [`x-zeq-trace: ${parent}`]);
    const broken = await seenWith(id, ['traceparent: x', 'tracestate: vendor=x']);

    const [seen] = valuesOf(callers, 'traceparent');
    expect(seen).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
    expect(seen).not.toBe(parent);
    expect(valuesOf(callers, 'tracestate')).toEqual(['vendor=x']);
    for (const raw of [ours, broken]) expect(raw.join()).not.toMatch(/trace/i);
  });

  it.each([
    'Authorization: Bearer zsm_0123456789abcdefghij',
    'authorization: Basic eDp5',
    'AUTHORIZATION: x',
    'X-Api-Key: zat_0123456789abcdefghij',
    'x_api_key: abc',
    'api-key: abc',
    'X-Goog-Api-Key: abc',
    'X-Admin-Key: abc',
    'Cookie: sid=1',
    'Forwarded: for=1.2.3.4',
    'X-Forwarded-For: 1.2.3.4',
    'X-Forwarded-Anything: x',
    'X_Forwarded_Host: x',
    'X-Real-IP: 1.2.3.4',
    'X-Cluster-Client-IP: 1.2.3.4',
    'X-Original-URL: /admin',
    'X_Rewrite_URL: /admin',
    'CF-Connecting-IP: 1.2.3.4',
    'Via: 1.1 somewhere',
    'X-Zeq-Anything: x',
    'X-HITE-Session: x',
    'Proxy-Authorization: Basic eDp5',
    'Proxy-Connection: keep-alive',
    'Keep-Alive: timeout=5',
    'TE: trailers',
    'Trailer: x-sum',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABk',
    'Accept-Encoding: gzip, br',
    'X-Carried: zsm_0123456789abcdefghij',
    'Sec-WebSocket-Protocol: realtime, key.zat_0123456789abcdefghij',
  ])('never hold %s', async (line) => {
    const id = rig.register({ base_url: upstream.url });
    const [name = '', value = ''] = line.split(': ');

    const raw = await seenWith(id, [line]);

    const got = valuesOf(raw, name.toLowerCase());
    expect(got).not.toContain(value);
    expect(raw.join('\n')).not.toContain('0123456789abcdefghij');
  });

  it('hold what the caller sends under other names, however close', async () => {
    const id = rig.register({ base_url: upstream.url });

    const raw = await seenWith(id, [
      'X-Api-Version: 1',
      'Authorization-Info: a',
      'Proxied: b',
      'X-Zeqond: c',
    ]);

    expect(
      ['x-api-version', 'authorization-info', 'proxied', 'x-zeqond'].flatMap((name) => valuesOf(raw, name)),
    ).toEqual(['1', 'a', 'b', 'c']);
  });

  it('hold none that Connection names, and the credential even if Connection names it', async () => {
    const id = rig.register({ base_url: upstream.url });

    const answer = await rig.raw(
      rig.head('GET', id, '/x', [
        'Connection: close, X-Hop, authorization, x_other',
        'X-Hop: 1',
        'X-Other: 2',
        'X-Kept: 3',
      ]),
    );

    const { raw } = upstream.last;
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect([valuesOf(raw, 'x-hop'), valuesOf(raw, 'x-other'), valuesOf(raw, 'x-kept')]).toEqual([
      [],
      [],
      ['3'],
    ]);
    expect(valuesOf(raw, 'authorization')).toEqual([BEARER.value]);
  });

  it.each([
    ['once', ['X-Custom-Key: mine']],
    ['twice', ['X-Custom-Key: a', 'x-custom-key: b']],
    ['with underscores', ['x_custom_key: a', 'X-Custom_Key: b']],
    ['in Connection', ['X-Custom-Key: a', 'Keep-Alive: x-custom-key']],
  ])('hold the credential once, when the caller sends its header %s', async (_how, lines) => {
    const id = rig.register({ base_url: upstream.url, auth: HEADER('X-Custom-Key') });

    const raw = await seenWith(id, lines);

    const all = raw.filter(
      (_, i) => i % 2 === 0 && raw[i]!.toLowerCase().replaceAll('_', '-') === 'x-custom-key',
    );
    expect(all).toEqual(['X-Custom-Key']);
    expect(valuesOf(raw, 'x-custom-key')).toEqual([CANARY]);
  });

  it('hold a Basic credential as it was leased', async () => {
    const id = rig.register({
      base_url: upstream.url,
      auth: { shape: { type: 'basic' }, value: 'Basic dXNlcjpwYXNz' },
    });

    expect(valuesOf(await seenWith(id, []), 'authorization')).toEqual(['Basic dXNlcjpwYXNz']);
  });

  it('hold the API’s extra headers as defaults, never over the credential or framing', async () => {
    const id = rig.register({
      base_url: upstream.url,
      auth: HEADER('x-api-key'),
      extra_headers: {
        'anthropic-version': '2023-06-01',
        'X-Team': 'a',
        X_API_KEY: 'from the extra headers',
        Host: 'evil',
        'content-length': '5',
        'x-zeq-service': 'x',
      },
    });

    const own = await seenWith(id, ['Anthropic-Version: 2024-01-01']);
    const defaults = await seenWith(id, []);

    expect(valuesOf(own, 'anthropic-version')).toEqual(['2024-01-01']);
    expect(valuesOf(defaults, 'anthropic-version')).toEqual(['2023-06-01']);
    expect(valuesOf(defaults, 'x-team')).toEqual(['a']);
    expect(valuesOf(defaults, 'x-api-key')).toEqual([CANARY]);
    expect(defaults.join('\n')).not.toMatch(/from the extra headers|evil|x-zeq/i);
  });

  it('hold no credential when the API has none', async () => {
    const id = rig.vault.register({ base_url: upstream.url, machine_id: rig.machineId, slug: 'alice' });

    const raw = await seenWith(id, ['Authorization: Bearer zsm_0123456789abcdefghij']);

    expect(valuesOf(raw, 'authorization')).toEqual([]);
  });
});

describe('a credential that travels in the query', () => {
  const auth = { shape: { type: 'query', name: 'api_key' } as const, value: 'se cret&=+' };

  it.each([
    ['/x', '/x?api_key=se%20cret%26%3D%2B'],
    ['/x?a=1&b=%20', '/x?a=1&b=%20&api_key=se%20cret%26%3D%2B'],
    ['/x?api_key=mine&a=1', '/x?a=1&api_key=se%20cret%26%3D%2B'],
    ['/x?API-KEY=mine', '/x?api_key=se%20cret%26%3D%2B'],
    ['/x?api%5fkey=mine&api%5Fkey', '/x?api_key=se%20cret%26%3D%2B'],
    ['/x?t=zat_0123456789abcdefghij&a=1', '/x?a=1&api_key=se%20cret%26%3D%2B'],
  ])('%s leaves as %s', async (rest, url) => {
    const id = rig.register({ base_url: upstream.url, auth });

    const raw = await seenWith(id, ['Authorization: Bearer zsm_0123456789abcdefghij'], rest);

    expect(upstream.last.url).toBe(url);
    expect(valuesOf(raw, 'authorization')).toEqual([]);
  });
});

describe('a credential beyond ASCII', () => {
  const value = 'schlüssel-😀-0123456789';

  it('leaves in the query as the escapes of its UTF-8', async () => {
    const auth = { shape: { type: 'query', name: 'key' } as const, value };
    const id = rig.register({ base_url: upstream.url, auth });

    await seenWith(id, []);

    expect(new URL(upstream.last.url, upstream.url).searchParams.get('key')).toBe(value);
  });

  it('leaves in a header as the bytes of its UTF-8', async () => {
    const id = rig.register({ base_url: upstream.url, auth: { ...HEADER('X-Key'), value } });

    const raw = await seenWith(id, []);

    expect(valuesOf(raw, 'x-key')).toEqual([Buffer.from(value, 'utf8').toString('latin1')]);
  });

  it.each(['query', 'header'] as const)('does not come back from a %s', async (type) => {
    const auth = { shape: { type, name: 'x-key' }, value };
    const id = rig.register({ base_url: upstream.url, auth });
    upstream.answer = (req, res) => {
      const read = req.headers['x-key'] ?? new URL(req.url!, upstream.url).searchParams.get('x-key');
      res.setHeader(
        'X-Echo',
        Buffer.from(`${read}`, type === 'query' ? 'utf8' : 'latin1').toString('latin1'),
      );
      res.end(JSON.stringify({ url: req.url, read, form: `${new URLSearchParams({ read: `${read}` })}` }));
    };

    const raw = await rig.raw(rig.head('GET', id, '/x', [close]));
    upstream.answer = undefined;

    expect(raw).toMatch(/^HTTP\/1.1 200 /);
    expect(raw).not.toMatch(/ssel-|0123456789/);
  });
});

describe('the headers that a caller sees', () => {
  async function answerTo(head: string, policy = {}): Promise<string> {
    const raw = await new RawUpstream((socket) =>
      socket.end(`HTTP/1.1 200 OK\r\n${head}Content-Length: 2\r\n\r\nok`),
    ).open();
    const id = rig.register({ base_url: raw.url, policy });
    const answer = await rig.raw(rig.head('GET', id, '/x', [close]));
    await raw.close();
    return answer;
  }

  it.each([
    'Set-Cookie: a=b',
    'Alt-Svc: h3=":443"',
    'Strict-Transport-Security: max-age=0',
    'Public-Key-Pins: x',
    'Clear-Site-Data: "*"',
    'NEL: {}',
    'Report-To: {}',
    'Access-Control-Allow-Origin: *',
    'Access-Control-Allow-Credentials: true',
    'X-Zeq-Error: internal',
    'x_zeq_error: internal',
    'Keep-Alive: timeout=999',
    'Proxy-Authenticate: Basic',
    'Upgrade: h2c',
    'CDN-Loop: zeq-mesh',
  ])('never hold %s', async (line) => {
    const answer = await answerTo(`${line}\r\n`);

    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(answer.toLowerCase()).not.toContain(line.toLowerCase());
  });

  it('hold an origin-wide header where the API opts in', async () => {
    const answer = await answerTo('Set-Cookie: a=b\r\nSet-Cookie: c=d\r\nAlt-Svc: x\r\n', {
      allowed_response_headers: ['set-cookie'],
    });

    expect(answer).toMatch(/set-cookie: a=b\r\nset-cookie: c=d\r\n/);
    expect(answer).not.toMatch(/alt-svc/i);
  });

  it('hold none that the upstream’s Connection names', async () => {
    const answer = await answerTo('Connection: close, X-Hop\r\nX-Hop: 1\r\nX-Kept: 2\r\n');

    expect(answer).not.toMatch(/x-hop/i);
    expect(answer).toMatch(/x-kept: 2\r\n/);
  });

  it('hold the upstream’s Date once, its WWW-Authenticate, Location and request id', async () => {
    const answer = await answerTo(
      'Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nWWW-Authenticate: Basic realm="x"\r\nLocation: /y\r\nX-Request-Id: req_1\r\n',
    );

    expect(answer.match(/\r\ndate:/gi)).toHaveLength(1);
    expect(answer).toMatch(/www-authenticate: Basic realm="x"\r\nlocation: \/y\r\nx-request-id: req_1\r\n/);
  });
});
