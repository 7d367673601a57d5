import { createServer as createTcp, type Socket } from 'node:net';
import { createServer as createTls, type TLSSocket, type TlsOptions } from 'node:tls';
import { TestAuthority } from './certificates.ts';
import { CANARY, listenOn, Rig } from './rig.ts';

const authority = new TestAuthority();
const good = authority.issue(['tls.example.net', '127.0.0.1', '::1']);

let rig: Rig;
const opened: { close: () => void }[] = [];

beforeAll(async () => {
  rig = await Rig.start({ allow: '127.0.0.1, ::1, tls.example.net', ca: authority.pem });
  rig.dns.always({ addresses: ['127.0.0.1'] });
});

afterAll(async () => {
  await rig.stop();
  for (const server of opened) server.close();
});

/** An upstream that counts the bytes of requests it could read. */
async function tlsUpstream(
  options: TlsOptions,
): Promise<{ port: number; clear: () => number; server: string[] }> {
  let bytes = 0;
  const server: string[] = [];
  const tls = createTls(options, (socket: TLSSocket) => {
    server.push(String(socket.servername));
    socket
      .on('error', () => socket.destroy())
      .on('data', (chunk) => {
        bytes += chunk.length;
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
  });
  opened.push(tls);
  return { port: await listenOn(tls as never), clear: () => bytes, server };
}

describe('an upstream behind TLS', () => {
  it('is called by the name of the base URL, at the address that was checked', async () => {
    const upstream = await tlsUpstream(good);

    const res = await rig.fetch(rig.register({ base_url: `https://tls.example.net:${upstream.port}` }), '/x');

    expect(res.status).toBe(200);
    expect(upstream.server).toEqual(['tls.example.net']);
  });

  it('is called by its address, which is not sent as a name and has to stand in the certificate', async () => {
    const upstream = await tlsUpstream(good);
    const foreign = await tlsUpstream(authority.issue(['tls.example.net']));

    const res = await rig.fetch(rig.register({ base_url: `https://127.0.0.1:${upstream.port}` }), '/x');
    const refused = await rig.fetch(rig.register({ base_url: `https://127.0.0.1:${foreign.port}` }), '/x');

    expect(res.status).toBe(200);
    expect(upstream.server).toEqual(['false']);
    expect(refused.headers.get('x-zeq-error')).toBe('tls_failed');
    expect(foreign.clear()).toBe(0);
  });

  it.each<[string, TlsOptions]>([
    ['a certificate for another name', authority.issue(['other.example.net'])],
    ['an expired certificate', authority.issue(['tls.example.net'], { expired: true })],
    ['a certificate that it signed itself', authority.issue(['tls.example.net'], { selfSigned: true })],
    [
      'TLS 1.1 at most',
      { ...good, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    ],
  ])('with %s gets no byte of a request', async (_what, options) => {
    const upstream = await tlsUpstream(options);
    const id = rig.register({ base_url: `https://tls.example.net:${upstream.port}` });

    const res = await rig.fetch(id, '/x', { method: 'POST', body: 'private' });

    expect([res.status, res.headers.get('x-zeq-error')]).toEqual([502, 'tls_failed']);
    expect(upstream.clear()).toBe(0);
  });

  it.each<[string, (socket: Socket) => void, string]>([
    ['clear text', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), 'tls_failed'],
    ['nothing', () => undefined, 'connect_timeout'],
    ['a closed connection', (socket) => socket.end(), 'tls_failed'],
  ])('that answers the handshake with %s gets no byte of a request', async (_what, answer, code) => {
    let received = '';
    const sockets: Socket[] = [];
    const tcp = createTcp((socket) => {
      sockets.push(socket);
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk) => {
        received += chunk.toString('latin1');
      });
      answer(socket);
    });
    const port = await listenOn(tcp as never);
    const id = rig.register({
      base_url: `https://tls.example.net:${port}`,
      policy: { connect_timeout_ms: 200 },
    });

    const res = await rig.fetch(id, '/x');

    expect(res.headers.get('x-zeq-error')).toBe(code);
    expect(received).not.toMatch(/GET \/|host:|authorization/i);
    expect(received).not.toContain(CANARY);
    for (const socket of sockets) socket.destroy();
    tcp.close();
  });
});
