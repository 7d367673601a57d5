import type { Server, ServerResponse } from 'node:http';
import { SERVICE_TOKEN_HEADER, TestCall } from '@zeq/contracts';
import {
  buildServer,
  healthRouter,
  newRequestId,
  ProblemError,
  parseInput,
  problemHandler,
  requestId,
  sendProblem,
  strictJson,
} from '@zeq/service-kit';
import express, { type Express } from 'express';
import type { Registry } from 'prom-client';
import { type ForwardDeps, forward } from './forward.ts';
import { identify } from './identity.ts';
import { parseForwardTarget } from './request-target.ts';
import { runTest } from './test-call.ts';
import { forwardUpgrade, isWebSocketUpgrade } from './websocket.ts';

const MAX_TEST_BYTES = 1024 * 1024;

export interface Deps extends ForwardDeps {
  registry: Registry;
  /** What is missing before calls can be carried. */
  notReady: () => string[];
}

/** The forwarder's server. The forward path goes before the express app, on the same server; nothing listens yet. */
export function buildForwarder(deps: Deps): Server {
  const app = buildApp(deps);
  const server = buildServer(
    (req, res) => {
      // Node takes a line without a version for HTTP/0.9, headers and all (RFC 9112 section 2.3 knows no such thing).
      if (req.httpVersionMajor !== 1) return void refuseVersion(res);
      const target = parseForwardTarget(req.url!);
      if (target === undefined) app(req, res);
      else forward(deps, req, res, target);
    },
    { shouldUpgradeCallback: isWebSocketUpgrade },
  );
  server.on('checkContinue', (req, res) => server.emit('request', req, res));
  server.on('upgrade', (req, socket, head) => {
    const target = parseForwardTarget(req.url!);
    if (target === undefined)
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    else forwardUpgrade(deps, req, socket, head, target);
  });
  return server;
}

function refuseVersion(res: ServerResponse): void {
  res.setHeader('Connection', 'close');
  sendProblem(res, 'bad_request', 'Only HTTP/1.1 and HTTP/1.0 are spoken here.', newRequestId());
}

/** Health and `/test`. */
export function buildApp(deps: Deps): Express {
  const app = express().disable('x-powered-by').disable('etag');
  app.use(requestId());
  app.use(healthRouter({ service: 'forwarder', metrics: deps.registry, notReady: deps.notReady }));
  app.post(
    '/api/zeq/apis/:slug/:id/test',
    strictJson({ maxBytes: MAX_TEST_BYTES }),
    async function test(req, res) {
      const token = req.headers[SERVICE_TOKEN_HEADER];
      const { slug, id } = req.params as { slug: string; id: string };
      const caller = identify(deps.verifier, typeof token === 'string' ? token : undefined, 'owner', slug);
      const result = await runTest(deps, caller, id, parseInput(TestCall, req.body ?? {}));
      res.set('Cache-Control', 'no-store').json(result);
    },
  );
  app.use(() => {
    throw new ProblemError('not_found', 'No route matches this method and path.');
  });
  app.use(problemHandler(deps.log));
  return app;
}
