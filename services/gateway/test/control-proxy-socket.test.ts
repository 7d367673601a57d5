import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ServiceTokenSigner } from '@zeq/service-kit';
import express from 'express';
import { controlProxy } from '../src/control/control-proxy.ts';

const BODY = Buffer.from('{"path":"/v1/models","method":"GET"}');
const ANSWER = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok';
const CALLS = 300;
const AT_ONCE = 12;

/** Answers as soon as the body is whole, and closes at once, as a service that stops does. In a thread: it must not wait for the proxy. */
async function hastyService(path: string): Promise<Worker> {
  const program = `
    const { createServer } = require('node:net');
    const { parentPort, workerData: { path, body, answer } } = require('node:worker_threads');
    createServer((socket) => {
      let text = '';
      socket.on('error', () => undefined); // the other side may be gone
      socket.on('data', (bytes) => {
        text += bytes.toString('latin1');
        if (text.endsWith(body)) socket.end(answer, () => socket.destroy());
      });
    }).listen(path, () => parentPort.postMessage('listening'));`;
  const workerData = { path, body: BODY.toString('latin1'), answer: ANSWER };
  const service = new Worker(program, { eval: true, workerData });
  await once(service, 'message');
  return service;
}

/** The proxy behind what stands before it in the gateway. */
function proxyTo(path: string): Promise<Server> {
  const signer = new ServiceTokenSigner('gateway', 'a secret of thirty-two characters');
  const proxy = controlProxy({ service: 'forwarder', url: `unix:${path}`, signer, timeoutMs: 5_000 });
  const app = express();
  app.post('/test', (req, res, next) => {
    req.collected = BODY;
    Object.assign(req, {
      call: { id: 'r-1', trace: { id: '0'.repeat(32), flags: '00' }, headers: { kept: [], target: '/test' } },
      who: { caller: { kind: 'anonymous' }, serial: 'anonymous' },
    });
    proxy(req, res, next);
  });
  app.use((_err: unknown, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
    res.status(503).end();
  });
  const server = createServer(app);
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

describe('the control plane over a socket file', () => {
  it('loses no answer of a service that closes right behind it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'control-proxy-'));
    const service = await hastyService(join(folder, 'sock'));
    const proxy = await proxyTo(join(folder, 'sock'));
    const { port } = proxy.address() as { port: number };
    const statuses: number[] = [];
    const work = async () => {
      while (statuses.length < CALLS)
        statuses.push((await fetch(`http://127.0.0.1:${port}/test`, { method: 'POST' })).status);
    };

    await Promise.all(Array.from({ length: AT_ONCE }, work));

    expect(new Set(statuses)).toEqual(new Set([200]));
    proxy.close();
    await service.terminate();
    await rm(folder, { recursive: true });
  });
});
