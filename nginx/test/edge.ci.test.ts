import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, type SecureVersion, type TLSSocket } from 'node:tls';
import { PROBLEMS } from '../../packages/contracts/src/index.ts';
import { type Backend, EVENTS, startBackend } from './backend.ts';
import { type Edge, HOST, issueCertificate, startEdge } from './edge.ts';

const HSTS = 'max-age=63072000; includeSubDomains; preload';

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: string;
}

describe('the edge', () => {
  let backend: Backend;
  let edge: Edge;
  let lastAddress = 0;

  beforeAll(async () => {
    backend = await startBackend();
    edge = await startEdge(backend.port);
  }, 30_000);

  afterAll(async () => {
    await edge?.stop();
    await backend?.stop();
  });

  /** A client nobody has counted yet. */
  const newClient = () => `127.2.0.${++lastAddress}`;

  function ask(url: 'http' | 'https' | number, path: string, options: RequestOptions = {}): Promise<Answer> {
    const port = typeof url === 'number' ? url : edge[url];
    const send = url === 'https' ? httpsRequest : httpRequest;
    const all = { host: '127.0.0.1', port, path, rejectUnauthorized: false, agent: false, ...options };
    const named = { ...all, headers: { Host: HOST, ...(options.headers as object) }, servername: HOST };
    return new Promise((resolve, reject) => {
      send(named, async (res) => {
        let body = '';
        res.setEncoding('utf8');
        for await (const chunk of res) body += chunk;
        resolve({ status: res.statusCode!, headers: res.headers, body });
      })
        .on('error', reject)
        .end();
    });
  }

  async function handshake(version: SecureVersion, ciphers: string): Promise<TLSSocket> {
    const socket = connectTls({
      port: edge.https,
      host: '127.0.0.1',
      servername: HOST,
      rejectUnauthorized: false,
      minVersion: version,
      maxVersion: version,
      ciphers,
    });
    await once(socket, 'secureConnect');
    socket.destroy();
    return socket;
  }

  describe('TLS', () => {
    it.each(['TLSv1.2', 'TLSv1.3'] as const)('speaks %s', async (version) => {
      expect((await handshake(version, 'DEFAULT')).authorized).toBe(false); // self-signed, and a handshake all the same
    });

    it.each(['TLSv1', 'TLSv1.1'] as const)('does not speak %s', async (version) => {
      await expect(handshake(version, 'ALL:@SECLEVEL=0')).rejects.toThrow(/alert|version/i);
    });

    it('offers no suite without forward secrecy', async () => {
      await expect(handshake('TLSv1.2', 'AES128-GCM-SHA256:AES256-SHA')).rejects.toThrow(/alert/i);
    });

    it('starts with a certificate of its own, and takes the real one when it comes, without a restart', async () => {
      const before = await fingerprint();
      const issued = issueCertificate(edge, 90);

      for (let i = 0; i < 50 && (await fingerprint()) !== issued; i++) await sleep(200);

      expect(before).not.toBe(issued);
      expect(await fingerprint()).toBe(issued);
      const renewed = issueCertificate(edge, 90);
      for (let i = 0; i < 50 && (await fingerprint()) !== renewed; i++) await sleep(200);
      expect(await fingerprint()).toBe(renewed);
    }, 30_000);

    async function fingerprint(): Promise<string> {
      const socket = connectTls({ port: edge.https, host: '127.0.0.1', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256;
    }
  });

  describe('port 80', () => {
    it('sends pages to https with 308, query included', async () => {
      const { status, headers } = await ask('http', '/apps/zeq-byok/?a=1', { localAddress: newClient() });

      expect(status).toBe(308);
      expect(headers.location).toBe(`https://${HOST}/apps/zeq-byok/?a=1`);
    });

    it('refuses the API with a problem document, so that no key is sent there twice', async () => {
      const answer = await ask('http', '/api/zeq/apis/alice', { localAddress: newClient() });

      expect(answer.status).toBe(403);
      expect(answer.headers['content-type']).toBe('application/problem+json');
      expect(JSON.parse(answer.body)).toEqual({
        type: 'https://zeqsdk.com/problems/plaintext_refused',
        title: 'Use https',
        status: 403,
        code: 'plaintext_refused',
        detail: expect.any(String),
        request_id: answer.headers['x-request-id'],
      });
    });

    it('answers for its own health, whatever the host', async () => {
      const answer = await ask('http', '/nginx-health', { headers: { Host: 'localhost' } });

      expect([answer.status, answer.body]).toEqual([200, 'ok\n']);
    });
  });

  describe('a request to a service', () => {
    it('arrives with the address of the client, stated once, and with nothing the client says about itself', async () => {
      const localAddress = newClient();
      await ask('https', '/api/v1/status', {
        localAddress,
        headers: {
          'X-Forwarded-For': '203.0.113.9',
          'X-Real-IP': '203.0.113.9',
          Forwarded: 'for=203.0.113.9',
          'X-Original-URL': '/admin',
          'X-Zeq-Service': 'forged',
          'X-Api-Key': 'mine',
        },
      });

      const { rawHeaders } = backend.seenFrom(localAddress)[0]!;

      expect(rawHeaders.join('\n')).not.toMatch(/203\.0\.113\.9|admin|forged/);
      expect(rawHeaders.filter((name) => name === 'X-Forwarded-For')).toHaveLength(1);
      expect(rawHeaders).toEqual(expect.arrayContaining(['X-Forwarded-Proto', 'https', 'X-Api-Key', 'mine']));
    });

    it('keeps its path to the letter', async () => {
      const localAddress = newClient();
      const path = '/api/zeq/apis/alice/x/forward/v1//a%2Fb/%E2%82%AC?q=a%20b&q=';
      await ask('https', path, { localAddress });

      expect(backend.seenFrom(localAddress).map(({ url }) => url)).toEqual([path]);
    });

    it('keeps the request id of a client that sends a usable one', async () => {
      const localAddress = newClient();
      await ask('https', '/api/x', { localAddress, headers: { 'X-Request-Id': 'my-request-1' } });
      await ask('https', '/api/x', { localAddress, headers: { 'X-Request-Id': 'no "good"' } });

      const ids = backend.seenFrom(localAddress).map(({ headers }) => headers['x-request-id']);

      expect(ids).toEqual(['my-request-1', expect.stringMatching(/^[0-9a-f]{32}$/)]);
    });

    it('gets an answer with HSTS, once, and its own status', async () => {
      const { status, headers } = await ask('https', '/teapot', { localAddress: newClient() });

      expect([status, headers['strict-transport-security'], headers.server]).toEqual([418, HSTS, 'nginx']);
    });

    it('cannot be answered with a header that steers nginx', async () => {
      const { body } = await ask('https', '/api/steer', { localAddress: newClient() });

      expect(JSON.parse(body)).toEqual({ length: 0 });
    });

    it('gets a problem document with Retry-After when nobody is there', async () => {
      const dark = await startEdge(1);
      try {
        const res = await new Promise<IncomingMessage>((resolve, reject) =>
          httpRequest({ host: '127.0.0.1', port: dark.doors.gateway, path: '/health' }, resolve)
            .on('error', reject)
            .end(),
        );
        res.resume();
        expect([res.statusCode, res.headers['x-zeq-error'], res.headers['retry-after']]).toEqual([
          503,
          'service_unavailable',
          '2',
        ]);
      } finally {
        await dark.stop();
      }
    });
  });

  describe('limits', () => {
    it('let 21 of 60 simultaneous API requests of one address pass, and answer 429 to the others', async () => {
      const localAddress = newClient();

      const answers = await Promise.all(
        Array.from({ length: 60 }, () => ask('https', '/api/v1/status', { localAddress })),
      );

      const passed = answers.filter(({ status }) => status === 200).length;
      const refused = answers.filter(({ status }) => status === 429);
      expect(passed + refused.length).toBe(60);
      expect(passed).toBeGreaterThanOrEqual(21); // one more for each 100 ms that sending took
      expect(passed).toBeLessThanOrEqual(31);
      expect(refused[0]!.headers).toMatchObject({
        'content-type': 'application/problem+json',
        'retry-after': '1',
        'x-zeq-error': 'rate_limited',
      });
      expect(JSON.parse(refused[0]!.body)).toMatchObject({ status: 429, code: 'rate_limited' });
    });

    it('count each address for itself, and refill ten a second', async () => {
      const localAddress = newClient();
      await Promise.all(Array.from({ length: 60 }, () => ask('https', '/api/x', { localAddress })));
      await sleep(1_000);

      const again = await Promise.all(
        Array.from({ length: 30 }, () => ask('https', '/api/x', { localAddress })),
      );
      const other = await ask('https', '/api/x', { localAddress: newClient() });

      const passed = again.filter(({ status }) => status === 200).length;
      expect(passed).toBeGreaterThanOrEqual(9);
      expect(passed).toBeLessThanOrEqual(16);
      expect(other.status).toBe(200);
    });

    it('hold for a forwarded call, and are wider for pages', async () => {
      const [caller, reader] = [newClient(), newClient()];
      const [calls, pages] = await Promise.all([
        Promise.all(
          Array.from({ length: 50 }, () =>
            ask('https', '/api/zeq/apis/a/b/forward/x', { localAddress: caller }),
          ),
        ),
        Promise.all(Array.from({ length: 50 }, () => ask('https', '/apps/x', { localAddress: reader }))),
      ]);

      expect(calls.filter(({ status }) => status === 429).length).toBeGreaterThan(10);
      expect(pages.filter(({ status }) => status === 429)).toEqual([]);
    });

    it('do not hold at the door of the operator', async () => {
      const answers = await Promise.all(
        Array.from({ length: 60 }, () => ask(edge.doors.gateway, '/health', { localAddress: newClient() })),
      );

      expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    });
  });

  it('lets the operator see how vault and forwarder are, and nothing else of them', async () => {
    const paths = ['/health', '/ready', '/metrics', '/internal/leases', '/internal/identify'];
    const statuses = await Promise.all(
      [edge.doors.vault, edge.doors.forwarder].flatMap((port) =>
        paths.map(async (path) => (await ask(port, path)).status),
      ),
    );

    expect(statuses).toEqual([200, 200, 200, 404, 404, 200, 200, 200, 404, 404]);
  });

  it.each(['/api/zeq/apis/alice/x/forward/events', '/sync/events', '/api/hite/channel?as=/events'])(
    'hands on each event of %s when it happens',
    async (path) => {
      const events: string[] = [];
      await new Promise<void>((resolve, reject) => {
        const options = {
          host: '127.0.0.1',
          port: edge.https,
          path,
          servername: HOST,
          headers: { Host: HOST },
        };
        httpsRequest({ ...options, rejectUnauthorized: false, localAddress: newClient() }, (res) => {
          res.setEncoding('utf8');
          res.on('data', (chunk: string) => {
            events.push(chunk);
            backend.sendEvent(); // the next one waits for this
          });
          res.on('end', resolve);
        })
          .on('error', reject)
          .end();
      });

      expect(events).toEqual(Array.from({ length: EVENTS }, (_, i) => `data: ${EVENTS - i}\n\n`));
    },
  );

  it.each(['/ws', '/api/zeq/apis/alice/x/forward/socket'])('opens a WebSocket at %s', async (path) => {
    const headers = {
      Host: HOST,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    };
    const options = { host: '127.0.0.1', port: edge.https, servername: HOST, path, headers };
    const req = httpsRequest({ ...options, rejectUnauthorized: false, localAddress: newClient() }).end();
    const [, socket] = await once(req, 'upgrade');
    socket.write('ping');

    const [echo] = await once(socket, 'data');

    socket.destroy();
    expect(String(echo)).toBe('ping');
  });

  it('answers others while ten thousand connections say nothing, and lets those go', async () => {
    const idle = await Promise.all(
      Array.from({ length: 10_000 }, async (_, i) => {
        const localAddress = `127.3.${Math.floor(i / 250)}.${(i % 250) + 1}`;
        const socket = connect({ host: '127.0.0.1', port: edge.https, localAddress });
        const closed = new Promise((resolve) => socket.once('close', resolve));
        socket.on('error', () => socket.destroy());
        socket.on('end', () => socket.destroy());
        await once(socket, 'connect');
        return { closed };
      }),
    );
    const statuses: number[] = [];
    for (let i = 0; i < 100; i++)
      statuses.push((await ask('https', '/apps/x', { localAddress: `127.4.0.${i + 1}` })).status);
    await Promise.all(idle.map(({ closed }) => closed));

    expect(statuses).toEqual(Array.from({ length: 100 }, () => 200));
  }, 90_000);

  it('is made of a configuration that nginx 1.22 or later calls valid, without a warning', () => {
    const run = join(edge.folder, 'run');
    const { status, stderr } = spawnSync('nginx', ['-p', `${run}/`, '-c', 'nginx.conf', '-t'], {
      stdio: ['ignore', 'ignore', 'pipe'], // nginx opens /dev/stdout, which a socket does not allow
      encoding: 'utf8',
    });
    const version = spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr;

    expect([status, stderr]).toEqual([0, expect.stringContaining('test is successful')]);
    expect(stderr).not.toMatch(/\[(warn|emerg|crit)\]/);
    expect(Number(/nginx\/1\.(\d+)/.exec(version)?.[1])).toBeGreaterThanOrEqual(22);
  });

  it('logs a line of JSON per request without the query', async () => {
    await ask('https', '/api/x?key=sk-canary-1', { localAddress: newClient() });
    await sleep(300);

    const lines = edge
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'));

    expect(lines.map((line) => JSON.parse(line)).at(-1)).toMatchObject({
      method: 'GET',
      path: '/api/x',
      status: 200,
    });
    expect(edge.output()).not.toContain('sk-canary-1');
  });
});

describe('the problems that nginx states itself', () => {
  it('have the statuses and titles of the one list', () => {
    const text = readFileSync(new URL('../snippets/problem-texts.conf', import.meta.url), 'utf8');
    const [codes, titles] = text.split('map $problem_code $problem_title') as [string, string];
    const stated = [...codes.matchAll(/^\s+(\d{3}) (\w+);/gm)].map(([, status, code]) => [
      Number(status),
      code,
    ]);

    const wrong = stated.filter(([status, code]) => {
      const known = PROBLEMS[code as keyof typeof PROBLEMS];
      const title = new RegExp(`^\\s+(?:${code}|default) "(.*)";`, 'm').exec(titles)?.[1];
      const sameClass = Math.floor(known.status / 100) === Math.floor(Number(status) / 100);
      return !sameClass || title !== known.title;
    });

    expect(wrong).toEqual([]);
  });
});

describe('start.sh', () => {
  it('is understood by every POSIX shell', () => {
    const script = new URL('../start.sh', import.meta.url).pathname;

    expect(execFileSync('sh', ['-n', script]).toString()).toBe('');
  });
});
