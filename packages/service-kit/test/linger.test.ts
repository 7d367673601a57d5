import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import { buildLogger, buildServer, ProblemError, problemHandler } from '../src/index.ts';

const BODY_BYTES = 1_000_000;

describe('a body that is refused before its end', () => {
  let server: Server;
  let heard: string[] = [];

  beforeAll(async () => {
    const app = express();
    app.use((req) => {
      req.id = 'r';
      heard.push(req.url);
      throw new ProblemError('payload_too_large', 'too large');
    });
    app.use(problemHandler(buildLogger('test', 'silent')));
    server = buildServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  beforeEach(() => {
    heard = [];
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  function open(framing: string): { socket: Socket; answer: () => string } {
    const { port } = server.address() as AddressInfo;
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.write(`POST /refused HTTP/1.1\r\nHost: x\r\n${framing}\r\n`);
    return { socket, answer: () => text };
  }

  it.each([
    ['whose sender closes the connection', 'Connection: close\r\n'],
    ['on a connection that would have gone on', ''],
  ])('%s meets no reset, and what follows it is not heard', async (_what, more) => {
    const { socket, answer } = open(`${more}Content-Length: ${BODY_BYTES}\r\n`);
    await once(socket, 'end');

    for (let sent = 0; sent < BODY_BYTES; sent += 100_000) {
      socket.write('x'.repeat(100_000));
      await sleep(1);
    }
    socket.end('GET /behind HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'close');

    expect(answer()).toMatch(/^HTTP\/1.1 413 /);
    expect(heard).toEqual(['/refused']);
  });

  it('leaves a connection as it is whose rest is short', async () => {
    const { socket, answer } = open('Content-Length: 1000\r\n');
    await once(socket, 'data');

    socket.write(`${'x'.repeat(1_000)}GET /next HTTP/1.1\r\nHost: x\r\n\r\n`);
    while (heard.length < 2) await once(socket, 'data');
    socket.destroy();

    expect(answer()).toMatch(/^connection: keep-alive$/im);
    expect(heard).toEqual(['/refused', '/next']);
  });

  it('is given up when nothing more of it comes', async () => {
    const { socket } = open(`Content-Length: ${BODY_BYTES}\r\n`);

    await once(socket, 'end');
    const connections = () =>
      new Promise((resolve) => server.getConnections((_err, count) => resolve(count)));
    while ((await connections()) !== 0) await sleep(50);
    socket.destroy();
  }, 20_000);
});
