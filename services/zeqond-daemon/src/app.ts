import {
  healthRouter,
  type Logger,
  ProblemError,
  problemHandler,
  requestId,
  subscribeToEvents,
} from '@zeq/service-kit';
import express, { type Express } from 'express';
import type { Registry } from 'prom-client';
import type { Daemon } from './daemon.ts';
import type { Witness } from './witness.ts';

const MAX_LISTENERS = 2_000;

/** All that the app needs from outside. A test passes its own. */
export interface Deps {
  daemon: Daemon;
  witness: Witness;
  metrics: Registry;
  log: Logger;
}

/** Builds the app without opening a socket. Everything here is for everybody who can reach the port. */
export function buildApp({ daemon, witness, metrics, log }: Deps): Express {
  const app = express().disable('x-powered-by').disable('etag').set('query parser', 'simple');
  app.use(requestId());
  app.use(
    healthRouter({
      service: 'zeqond-daemon',
      metrics,
      facts: () => ({
        pulse_count: daemon.pulses,
        tesc_enabled: daemon.attested,
        state: daemon.state,
        faults: witness.faults.map(({ fault }) => fault),
      }),
      notReady: () => witness.faults.map(({ fault, engine }) => `trust in the chain of ${engine}: ${fault}`),
    }),
  );
  app.get('/zeqond/now', function showNow(_req, res) {
    res.set('Cache-Control', 'no-store').json(daemon.now());
  });
  app.get('/zeqond/status', function showStatus(_req, res) {
    res.set('Cache-Control', 'no-store').json(daemon.status());
  });
  app.get('/zeqond/ticks', function streamTicks(req, res) {
    if (daemon.hub.size >= MAX_LISTENERS) throw new ProblemError('overloaded', 'Too many listeners here.');
    subscribeToEvents(daemon.hub, req, res);
  });
  app.use(() => {
    throw new ProblemError('not_found', 'No route matches this method and path.');
  });
  app.use(problemHandler(log));
  return app;
}
