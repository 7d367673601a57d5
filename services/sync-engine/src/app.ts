import {
  type AccessLog,
  healthRouter,
  type Logger,
  ProblemError,
  problemHandler,
  requestId,
  type TimeSource,
} from '@zeq/service-kit';
import express, { type Express, type RequestHandler } from 'express';

import type { SyncMetrics } from './metrics.ts';
import { healthFacts, type SyncDeps, syncRouter } from './routes/sync.ts';
import { type TescRouteDeps, tescRouter } from './routes/tesc.ts';

/** All that the app needs from outside. A test passes its own. */
export interface Deps extends SyncDeps, TescRouteDeps {
  time: TimeSource;
  metrics: SyncMetrics;
  accessLog: AccessLog;
  log: Logger;
}

/** Builds the app without opening a socket. */
export function buildApp(deps: Deps): Express {
  const app = express().disable('x-powered-by').disable('etag').set('query parser', 'simple');
  const health = healthRouter({
    service: 'sync-engine',
    metrics: deps.metrics.registry,
    facts: () => healthFacts(deps),
    notReady: () => (deps.engine.storeState === 'unavailable' ? ['the chain store'] : []),
  });
  app.use(requestId(), logAccess(deps.accessLog));
  app.use(health);
  app.use('/sync', health); // nginx and the gateway show it as /sync/health
  app.use(syncRouter(deps));
  app.use(tescRouter(deps));
  app.use(() => {
    throw new ProblemError('not_found', 'No route matches this method and path.');
  });
  app.use(problemHandler(deps.log));
  return app;
}

function logAccess(accessLog: AccessLog): RequestHandler {
  return function noteAccess(req, res, next) {
    const startedAt = performance.now();
    res.once('close', () => {
      const code = res.getHeader('x-zeq-error');
      accessLog.write({
        requestId: req.id,
        method: req.method,
        route: `${req.baseUrl}${req.route?.path ?? ''}`,
        status: res.statusCode,
        ms: performance.now() - startedAt,
        who: 'nobody',
        outcome: typeof code === 'string' ? code : undefined,
      });
    });
    next();
  };
}
