import type { Server, ServerResponse } from 'node:http';
import { SERVICE_TOKEN_HEADER, TestCall, type TestResult, TryApi } from '@zeq/contracts';
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
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import type { Registry } from 'prom-client';
import { type ForwardDeps, forward } from './calls/forward.ts';
import { runDraftTest, runTest } from './calls/test-call.ts';
import { forwardUpgrade, isWebSocketUpgrade } from './calls/websocket.ts';
import { type ForwardCaller, identify } from './decision/identity.ts';
import { RateLimited } from './limits/limits.ts';
import { type Refusal, refuseRequest } from './request/request-guard.ts';
import { parseForwardTarget } from './request/request-target.ts';

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
      const refusal = refuseRequest(req);
      if (refusal !== undefined) return void refuse(res, refusal);
      const target = parseForwardTarget(req.url!);
      if (target === undefined) app(req, res);
      else forward(deps, req, res, target);
    },
    { shouldUpgradeCallback: isWebSocketUpgrade },
  );
  server.on('checkContinue', (req, res) => server.emit('request', req, res));
  server.on('upgrade', (req, socket, head) => {
    const target = refuseRequest(req) === undefined ? parseForwardTarget(req.url!) : undefined;
    if (target === undefined)
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    else forwardUpgrade(deps, req, socket, head, target);
  });
  return server;
}

const rateLimitFields: ErrorRequestHandler = (err, _req, res, next) => {
  if (err instanceof RateLimited) res.set(err.fields);
  next(err);
};

/** The connection ends with it: what follows on it may not be what it seems. */
function refuse(res: ServerResponse, { code, detail }: Refusal): void {
  res.setHeader('Connection', 'close');
  sendProblem(res, code, detail, newRequestId());
}

/** Health and the tests, of what is saved and of what is not yet. */
export function buildApp(deps: Deps): Express {
  const app = express().disable('x-powered-by').disable('etag');
  app.use(requestId());
  app.use(healthRouter({ service: 'forwarder', metrics: deps.registry, notReady: deps.notReady }));
  const json = strictJson({ maxBytes: MAX_TEST_BYTES });
  app.post('/api/zeq/apis/:slug/test', json, async function testDraft(req, res) {
    const caller = ownerOf(deps, req);
    send(res, await runDraftTest(deps, caller, parseInput(TryApi, req.body ?? {})));
  });
  app.post('/api/zeq/apis/:slug/:id/test', json, async function test(req, res) {
    const caller = ownerOf(deps, req);
    const test = parseInput(TestCall, req.body ?? {});
    send(res, await runTest(deps, caller, String(req.params.id), test, req.id));
  });
  app.use(() => {
    throw new ProblemError('not_found', 'No route matches this method and path.');
  });
  app.use(rateLimitFields);
  app.use(problemHandler(deps.log));
  return app;
}

function ownerOf({ verifier }: Deps, req: Request): ForwardCaller {
  const token = req.headers[SERVICE_TOKEN_HEADER];
  return identify(verifier, typeof token === 'string' ? token : undefined, 'owner', String(req.params.slug));
}

const send = (res: Response, result: TestResult) => res.set('Cache-Control', 'no-store').json(result);
