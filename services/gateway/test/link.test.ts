import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import type { LinkCall, LinkHandler, LinkRequest } from '../src/link/connection.ts';
import { Link } from '../src/link/link.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** What became of one call. */
class Heard implements LinkHandler {
  status = 0;
  body = '';
  error: Error | undefined;
  call: LinkCall | undefined;
  readonly over: Promise<void>;
  #finish: () => void = () => undefined;

  constructor() {
    this.over = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  onStart(call: LinkCall): void {
    this.call = call;
  }
  onHead(status: number): void {
    this.status = status;
  }
  onData(chunk: Buffer): void {
    this.body += chunk.toString();
  }
  onEnd(): void {
    this.#finish();
  }
  onError(err: Error): void {
    this.error = err;
    this.#finish();
  }
}

describe('Link', () => {
  let server: Server;
  let link: Link;
  const sockets: Socket[] = [];
  /** What each connection received. */
  const texts: string[] = [];
  let react: (socket: Socket, text: string) => void;

  beforeEach(async () => {
    sockets.length = 0;
    texts.length = 0;
    server = createServer((socket) => {
      const n = sockets.push(socket) - 1;
      texts[n] = '';
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk) => {
        texts[n] += chunk.toString('latin1');
        react(socket, chunk.toString('latin1'));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    link = new Link({ origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    react = (socket) => socket.write(OK);
  });
  afterEach(async () => {
    link.close();
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });

  function send(request: Partial<LinkRequest> = {}): Heard {
    const heard = new Heard();
    link.send({ method: 'GET', target: '/x', headers: ['A', 'b'], body: null, length: 0, ...request }, heard);
    return heard;
  }

  it('writes head and body in one piece', async () => {
    const body = Buffer.from('{"n":1}');

    await send({ method: 'POST', body, length: body.length }).over;

    expect(texts[0]).toMatch(
      /^POST \/x HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\nA: b\r\ncontent-length: 7\r\n\r\n\{"n":1\}$/,
    );
  });

  it('uses a connection again, and opens another for a call beside it', async () => {
    await send().over;
    await send().over;
    const [one, two] = [send(), send()];
    await Promise.all([one.over, two.over]);

    expect(sockets).toHaveLength(2);
    expect([one.body, two.body]).toEqual(['ok', 'ok']);
  });

  it('sends a stream of unknown length in chunks', async () => {
    react = (socket, text) => text.endsWith('0\r\n\r\n') && socket.write(OK);

    await send({ method: 'POST', body: Readable.from([Buffer.from('one'), Buffer.from('two')]), length: -1 })
      .over;

    expect(texts[0]).toContain('transfer-encoding: chunked\r\n\r\n');
    expect(texts[0]).toMatch(/(?:3\r\none\r\n3\r\ntwo|6\r\nonetwo)\r\n0\r\n\r\n$/);
  });

  it('tells a call whose answer breaks off', async () => {
    react = (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nha');

    const heard = send();
    await heard.over;

    expect(heard).toMatchObject({ status: 200, body: 'ha' });
    expect(heard.error?.message).toBe('the connection ended within an answer');
  });

  it('sends a GET again, once and on a new connection, when the old one had gone stale', async () => {
    await send().over;
    react = (socket) => (socket === sockets[0] ? socket.resetAndDestroy() : socket.write(OK));

    const heard = send();
    await heard.over;

    expect(heard).toMatchObject({ status: 200, error: undefined });
    expect(sockets).toHaveLength(2);
  });

  it('never sends a POST again', async () => {
    await send().over;
    react = (socket) => socket.resetAndDestroy();

    const heard = send({ method: 'POST' });
    await heard.over;

    expect(heard.error).toBeDefined();
    expect(sockets).toHaveLength(1);
  });

  it('sends a POST over no connection that lay idle for long: its service may be closing it', async () => {
    await send().over;
    await send({ method: 'POST' }).over;
    expect(sockets).toHaveLength(1);
    const later = performance.now() + 2_000;
    const clock = jest.spyOn(performance, 'now').mockReturnValue(later);

    await send({ method: 'POST' }).over;
    clock.mockRestore();

    expect(sockets).toHaveLength(2);
  });

  it('does not lend out a connection that brought bytes behind its answer', async () => {
    react = (socket) => socket.write(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad`);
    await send().over;
    react = (socket) => socket.write(OK);
    await sleep(20);

    const heard = send();
    await heard.over;

    expect(heard.body).toBe('ok');
    expect(sockets).toHaveLength(2);
  });

  it('gives up a connection whose answer came before the end of the request', async () => {
    react = (socket) => socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n');
    const endless = new Readable({ read: () => undefined });
    endless.push('x');

    const heard = send({ method: 'POST', body: endless, length: 100 });
    await heard.over;
    await once(sockets[0]!, 'close');

    expect(heard.status).toBe(413);
    expect(sockets).toHaveLength(1);
  });

  it('closes the connection when a call is aborted', async () => {
    react = () => undefined;
    const heard = send();
    while (texts[0] === undefined || texts[0] === '') await sleep(1);

    heard.call?.abort();
    await once(sockets[0]!, 'close');

    expect(heard).toMatchObject({ status: 0, error: undefined });
  });

  it('tells at once when nobody listens', async () => {
    const nobody = new Link({ origin: 'http://127.0.0.1:1' });
    const heard = new Heard();

    nobody.send({ method: 'POST', target: '/', headers: [], body: null, length: 0 }, heard);
    await heard.over;
    nobody.close();

    expect((heard.error as NodeJS.ErrnoException).code).toBe('ECONNREFUSED');
  });
});
