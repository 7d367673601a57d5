import type { Caller } from '@zeq/contracts';
import {
  type AccessLog,
  healthRouter,
  ProblemError,
  problemHandler,
  requestId,
  type ServiceTokenVerifier,
  safeError,
  traceIdOf,
} from '@zeq/service-kit';
import express, { type Express, type RequestHandler } from 'express';
import { rateLimit } from 'express-rate-limit';
import { comesFromGateway } from './auth/authenticate.ts';
import type { Deps } from './deps.ts';
import { OwnOperators } from './own-operators.ts';
import { catalogueRouter } from './routes/catalogue.ts';
import { computeRouter } from './routes/compute.ts';
import { liveRouter } from './routes/live.ts';
import { ownOperatorsRouter } from './routes/own-operators.ts';
import { sevenStepRouter } from './routes/seven-step.ts';

/** Builds the app without opening a socket. */
export function buildApp(deps: Deps): Express {
  const { catalogue, stores, metrics, log, accessLog, now, serviceTokens, perMinute } = deps;
  const own = new OwnOperators({ catalogue, store: stores.operators, now });
  const app = express().disable('x-powered-by').disable('etag').set('query parser', 'simple');
  app.use(requestId());
  app.use(logRequests(accessLog));
  app.use(
    healthRouter({
      service: 'operator-engine',
      metrics,
      facts: () => ({ operators: catalogue.operators.length, categories: catalogue.byCategory.size }),
      notReady: () => missing(deps),
    }),
  );
  app.use(limitAddresses(serviceTokens, perMinute));
  // Before `/operators/:id`, which would take `execute` for an id.
  app.use(computeRouter(deps, own), liveRouter(deps, own));
  app.use(catalogueRouter(deps, own), ownOperatorsRouter(deps, own), sevenStepRouter(deps, own));
  app.use(() => {
    throw new ProblemError('not_found', 'No route matches this method and path.');
  });
  app.use(problemHandler(log));
  return app;
}

/** The store is needed for machines' own operators and for records; the catalogue serves without it. */
async function missing({ stores, log }: Deps): Promise<string[]> {
  try {
    await stores.ping();
    return [];
  } catch (err) {
    log.debug({ err: safeError(err) }, 'the store does not answer');
    return ['store'];
  }
}

/** One line per request, at its end. */
function logRequests(accessLog: AccessLog): RequestHandler {
  return function logRequest(req, res, next) {
    const startedAt = performance.now();
    res.on('close', () => {
      accessLog.write({
        requestId: req.id,
        traceId: traceIdOf(req.headers),
        method: req.method,
        route: typeof req.route?.path === 'string' ? req.route.path : 'none',
        status: res.statusCode,
        ms: performance.now() - startedAt,
        who: whoOf(res.locals.caller),
      });
    });
    next();
  };
}

function whoOf(caller: Caller | undefined): string {
  if (caller === undefined) return 'anonymous';
  return 'slug' in caller ? `${caller.kind}:${caller.slug}` : caller.kind;
}

const MINUTE_MS = 60_000;
const IPV6_SUBNET_BITS = 64;

/** The gateway counts its callers by their own addresses; whoever comes directly is counted here. */
function limitAddresses(serviceTokens: ServiceTokenVerifier, perMinute: number): RequestHandler {
  return rateLimit({
    windowMs: MINUTE_MS,
    limit: perMinute,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    ipv6Subnet: IPV6_SUBNET_BITS,
    skip: (req) => comesFromGateway(req, serviceTokens),
    handler: (_req, res, next) => {
      const retryAfter = Number(res.getHeader('Retry-After') ?? MINUTE_MS / 1000);
      next(
        new ProblemError('rate_limited', 'Too many requests from this address; slow down.', { retryAfter }),
      );
    },
  });
}
