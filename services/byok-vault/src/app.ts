import { performance } from 'node:perf_hooks';
import {
  type AccessLog,
  healthRouter,
  type Logger,
  ProblemError,
  problemHandler,
  requestId,
  type ServiceTokenVerifier,
  traceIdOf,
} from '@zeq/service-kit';
import express, { type Express, type RequestHandler } from 'express';
import type { ApiDeps } from './apis/register-api.ts';
import type { ChangeHub } from './leases/change-hub.ts';
import type { VaultMetrics } from './metrics.ts';
import type { FieldKeyRotation } from './rotation/rotate-field-key.ts';
import { apiHandlers } from './routes/apis.ts';
import { auditHandlers } from './routes/audit.ts';
import { internalRouter } from './routes/internal.ts';
import { machineHandlers } from './routes/machines.ts';
import { rotationHandlers } from './routes/rotation.ts';
import { publicRouter } from './routes/route-table.ts';
import { tokenHandlers } from './routes/tokens.ts';
import { type UsageDeps, usageHandlers } from './routes/usage.ts';

/** All that the app needs from outside. A test passes its own. */
export interface Deps extends ApiDeps, UsageDeps {
  hub: ChangeHub;
  rotation: FieldKeyRotation;
  verifier: ServiceTokenVerifier;
  metrics: VaultMetrics;
  accessLog: AccessLog;
  log: Logger;
  /** Whether the schema stands and the keys are known to fit. */
  isStarted: () => boolean;
  /** What is missing before the vault can serve; empty means ready. */
  notReady: () => string[];
}

/** Builds the app without opening a socket. */
export function buildApp(deps: Deps): Express {
  const app = express().disable('x-powered-by').disable('etag').set('query parser', 'simple');
  const handlers = {
    ...machineHandlers(deps),
    ...apiHandlers(deps),
    ...tokenHandlers(deps),
    ...rotationHandlers(deps),
    ...usageHandlers(deps),
    ...auditHandlers(deps),
  };
  app.use(requestId(), logAccess(deps.accessLog));
  app.use(healthRouter({ service: 'byok-vault', metrics: deps.metrics.registry, notReady: deps.notReady }));
  app.use(requireStarted(deps.isStarted));
  app.use('/internal', internalRouter(deps));
  app.use(publicRouter(handlers, deps.verifier));
  app.use(() => {
    throw new ProblemError('not_found', 'No route matches this method and path.');
  });
  app.use(problemHandler(deps.log));
  return app;
}

/** Before that, nothing but health is answered. */
function requireStarted(isStarted: () => boolean): RequestHandler {
  return function checkStarted(_req, _res, next) {
    if (!isStarted())
      throw new ProblemError('database_unavailable', 'The vault is starting. Try again.', { retryAfter: 1 });
    next();
  };
}

function logAccess(accessLog: AccessLog): RequestHandler {
  return function noteAccess(req, res, next) {
    const startedAt = performance.now();
    res.once('close', () => {
      accessLog.write({
        requestId: req.id,
        traceId: traceIdOf(req.headers),
        method: req.method,
        route: `${req.baseUrl}${req.route?.path ?? ''}`,
        status: res.statusCode,
        ms: performance.now() - startedAt,
        who: whoOf(res.locals.claims),
        outcome: res.writableFinished ? outcomeOf(res.getHeader('x-zeq-error')) : 'aborted',
      });
    });
    next();
  };
}

function whoOf(claims: express.Response['locals']['claims'] | undefined): string {
  if (claims === undefined) return 'nobody';
  const { iss, caller } = claims;
  return 'slug' in caller ? `${iss} for ${caller.kind} ${caller.slug}` : `${iss} for ${caller.kind}`;
}

const outcomeOf = (code: unknown): string | undefined => (typeof code === 'string' ? code : undefined);
