import { healthRouter, type Logger, ProblemError, problemHandler, requestId } from '@zeq/service-kit';
import express, { type Express } from 'express';
import { Registry } from 'prom-client';

/**
 * What answers until the chain's store has been opened: alive, not ready, and 503 for everything else. Without it a database that
 * comes late would look like an engine that is dead.
 */
export function waitingApp(log: Logger): Express {
  const app = express().disable('x-powered-by').disable('etag');
  app.use(requestId());
  const health = healthRouter({
    service: 'sync-engine',
    metrics: new Registry(),
    notReady: () => ['database'],
  });
  app.use(health);
  app.use('/sync', health);
  app.use(() => {
    throw new ProblemError('database_unavailable', 'The engine waits for its database; try again.', {
      retryAfter: 1,
    });
  });
  app.use(problemHandler(log));
  return app;
}
