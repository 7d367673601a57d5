// From outside, through the whole chain: TLS, nginx, gateway, forwarder, provider.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type SecureVersion } from 'node:tls';
import { type Answer, ask, askPlain, deploy, HOST, type Machine, newMachine, UPSTREAM } from './mesh.ts';

/** nginx gives a client back its burst of 20 in this time. */
const REFILL_MS = 2_500;

describe('the mesh from outside', () => {
  let machine: Machine;

  beforeAll(async () => {
    machine = await newMachine();
  });

  beforeEach(() => sleep(REFILL_MS));

  it('attaches the credential to a call and hands the answer back', async () => {
    const { status, body } = await ask(machine.forward('/echo?a=1'), {
      headers: machine.auth,
      body: { q: 1 },
    });

    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({ method: 'POST', url: '/echo?a=1', body: '{"q":1}' });
  });

  it('hands a trace on to the provider, and names it in the log of the edge', async () => {
    const id = randomBytes(16).toString('hex');
    const trace = { traceparent: `00-${id}-00f067aa0ba902b7-01`, tracestate: 'vendor=t61rcWkgMzE' };

    const { body, headers } = await ask(machine.forward('/trace'), {
      headers: { ...machine.auth, ...trace },
    });
    const { output } = await deploy('logs', '--no-follow', 'nginx');

    expect(JSON.parse(body)).toEqual({
      ...trace,
      traceparent: expect.stringMatching(new RegExp(`^00-${id}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`)), // the mesh's own span
    });
    const line = output.split('\n').find((one) => one.includes(`"request_id":"${headers['x-request-id']}"`));
    expect(line).toContain(`"trace_id":"${id}"`);
  });

  it('shows the credential to nobody', async () => {
    const { body } = await ask(`/api/zeq/apis/${machine.slug}`, { headers: machine.auth });

    expect(body).toContain('"has_auth_header":true');
    expect(body).not.toContain(UPSTREAM.key);
  });

  it.each([
    ['TLSv1.2', true],
    ['TLSv1.3', true],
    ['TLSv1.1', false],
    ['TLSv1', false],
  ] as const)('%s is spoken: %s', async (version, spoken) => {
    const attempt = handshake(version, spoken ? 'DEFAULT' : 'ALL:@SECLEVEL=0');

    if (spoken) await expect(attempt).resolves.toBe(version);
    else await expect(attempt).rejects.toThrow(/alert|version/i);
  });

  async function handshake(version: SecureVersion, ciphers: string): Promise<string | null> {
    const limits = { minVersion: version, maxVersion: version, ciphers, rejectUnauthorized: false };
    const socket = connect({ host: '127.0.0.1', port: 443, servername: HOST, ...limits });
    await once(socket, 'secureConnect');
    const spoken = socket.getProtocol();
    socket.destroy();
    return spoken;
  }

  it('has the headers of a careful API on every answer', async () => {
    const answers = await Promise.all(
      ['/api-health', '/api/zeq/apis/nobody', '/api/zeq/apis/..;/admin', '/nothing'].map((path) => ask(path)),
    );

    expect(answers.map(({ status }) => status)).toEqual([200, 401, 400, 404]);
    for (const { headers } of answers) {
      expect(headers['strict-transport-security']).toBe('max-age=63072000; includeSubDomains; preload');
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
      expect(headers['referrer-policy']).toBe('no-referrer');
      expect(headers['cache-control']).toBe('no-store');
      expect(headers.server).toBe('nginx');
      expect(headers['x-powered-by']).toBeUndefined();
    }
  });

  it('sends pages from port 80 to https and refuses the API there', async () => {
    const [page, api, health] = [
      await askPlain('/apps/zeq-byok/'),
      await askPlain('/api/zeq/apis/x'),
      await askPlain('/nginx-health'),
    ];

    expect([page.status, page.headers.location]).toEqual([308, `https://${HOST}/apps/zeq-byok/`]);
    expect([api.status, api.headers['x-zeq-error'], api.headers['content-type']]).toEqual([
      403,
      'plaintext_refused',
      'application/problem+json',
    ]);
    expect([health.status, health.body]).toEqual([200, 'ok\n']);
  });

  it('lets exactly 21 of 60 requests at once pass (10 a second, a burst of 20), and answers 429 to the others', async () => {
    const answers = await askAtOnce('/api/v1/status', 60);

    const refused = answers.filter(({ status }) => status === 429);
    expect([answers.filter(({ status }) => status === 401).length, refused.length]).toEqual([21, 39]);
    expect(JSON.parse(refused[0]!.body)).toMatchObject({ code: 'rate_limited', status: 429 });
    expect(refused[0]!.headers['retry-after']).toBe('1');
  });

  /** Requests that nginx reads in one go: streams of one HTTP/2 connection, so that nothing refills between them. */
  async function askAtOnce(path: string, count: number): Promise<Answer[]> {
    const session = connectHttp2('https://127.0.0.1', { servername: HOST, rejectUnauthorized: false });
    await once(session, 'remoteSettings');
    const head = { ':path': path, ':authority': HOST, 'x-api-key': 'none-of-yours-00' };
    const streams = Array.from({ length: count }, () => session.request(head));
    const answers = await Promise.all(
      streams.map(async (stream) => {
        const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
        let body = '';
        for await (const chunk of stream.setEncoding('utf8')) body += chunk;
        return { status: Number(headers[':status']), headers, body };
      }),
    );
    session.close();
    return answers;
  }

  it('hands on each server-sent event when the provider sends it', async () => {
    const events: { sentAt: number; seenAt: number }[] = [];
    const options = {
      host: '127.0.0.1',
      servername: HOST,
      rejectUnauthorized: false,
      path: machine.forward('/events'),
    };
    await new Promise<void>((resolve, reject) => {
      httpsRequest({ ...options, headers: { Host: HOST, ...machine.auth } }, (res) => {
        res.setEncoding('utf8');
        res.on('data', (chunk: string) => {
          for (const [, sentAt] of chunk.matchAll(/data: (\d+)/g))
            events.push({ sentAt: Number(sentAt), seenAt: Date.now() });
        });
        res.on('end', resolve);
      })
        .on('error', reject)
        .end();
    });

    expect(events).toHaveLength(5);
    expect(events[0]!.seenAt).toBeLessThan(events[4]!.sentAt);
  });

  it.each(['forward', 'ticks'])('opens a WebSocket: %s', async (what) => {
    const headers = {
      Host: HOST,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...(what === 'forward' && machine.auth),
    };
    const path = what === 'forward' ? machine.forward('/socket') : '/ws';
    const options = { host: '127.0.0.1', servername: HOST, rejectUnauthorized: false, path, headers };
    const req = httpsRequest(options).end();
    const [, socket] = await once(req, 'upgrade');
    if (what === 'forward') socket.write(Buffer.from([0x81, 0x84, 0, 0, 0, 0, ...Buffer.from('ping')]));

    const [frame] = (await Promise.race([once(socket, 'data'), once(socket, 'close')])) as [Buffer];

    socket.destroy();
    expect(frame.toString('latin1')).toContain(what === 'forward' ? 'ping' : '"type":"tick"');
  });

  it('is green for the operator', async () => {
    const { code, output } = await deploy('status');

    expect(output).not.toContain('FAIL');
    expect(code).toBe(0);
  });

  it("answers the lines of the security guide on the operator's own ports", async () => {
    const bodies = await Promise.all(
      [
        'http://localhost/nginx-health',
        'http://localhost:4000/health',
        'http://localhost:4001/health',
        'http://localhost:2871/health',
        'http://localhost:8080/api/zeq/operators',
      ].map(async (url) => (await fetch(url)).text()),
    );

    expect(bodies[1]).toContain('"status":"ok"');
    expect(bodies[2]).toContain('"tesc_enabled":true');
    expect(bodies[3]).toContain('"status":"ok"');
    expect(bodies[4]).not.toContain('"equation"');
  });
});
