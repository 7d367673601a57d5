import {
  HITE_MAX_REQUEST_BYTES,
  type Problem,
  ROUTES,
  type RouteSpec,
  refuseAccess,
  type ServiceName,
} from '@zeq/contracts';
import { type Logger, ProblemError, problemHandler, readBody } from '@zeq/service-kit';
import cors from 'cors';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { rateLimit } from 'express-rate-limit';
import helmet from 'helmet';
import { accessDetail, NOT_FOUND } from '../callers/access-detail.ts';
import type { Authentication } from '../callers/authentication.ts';
import { FORWARD_ROUTE } from '../forward/forward-path.ts';
import { POLICY } from '../limits/rate-headers.ts';
import type { RateWindow } from '../limits/rate-window.ts';
import { refuseControlPath } from '../request/request-guard.ts';
import { setBaseHeaders } from './base-headers.ts';
import type { CorsPolicy } from './cors-policy.ts';

/** Control bodies are JSON of settings (bytes). */
const MAX_BODY_BYTES = 1024 * 1024;
/** Where a body may be longer. */
const LONGER_BODIES: Record<string, number> = { '/api/hite/channel': HITE_MAX_REQUEST_BYTES };
const METHODS = {
  GET: 'get',
  POST: 'post',
  PUT: 'put',
  PATCH: 'patch',
  DELETE: 'delete',
  ANY: 'all',
} as const;
/** Answered without being counted: a probe must not use up the limit of the address it comes from. */
const UNCOUNTED = new Set([
  'GET /health',
  'GET /ready',
  // from memory, once per visit; counting them would leave fewer calls to the page's own reader
  'GET /apps/zeq-byok/',
  'GET /apps/zeq-byok/assets/:asset',
  // the request inside is counted
  'POST /api/hite/channel',
]);

export interface OwnLimit {
  /** The policy's name in the RateLimit fields. */
  name: string;
  window: RateWindow;
}

/** The handlers of the routes that the gateway answers itself, by `METHOD /path`. */
export type LocalRoutes = Readonly<Record<string, RequestHandler | RequestHandler[]>>;

export interface ControlPlaneDeps {
  routes?: readonly RouteSpec[];
  local: LocalRoutes;
  /** Proxies by service. */
  proxies: Partial<Record<ServiceName, RequestHandler>>;
  authentication: Authentication;
  perAddress: RateWindow;
  /** What has a limit of its own per address, besides the common one; by `METHOD /path`. */
  ownLimits: Readonly<Record<string, OwnLimit>>;
  cors: CorsPolicy;
  log: Logger;
}

/** Everything but forwarded calls: Express, its middleware, and one handler per route of the table. */
export function buildControlPlane(deps: ControlPlaneDeps): Express {
  const app = express().disable('x-powered-by').disable('etag');
  app.enable('case sensitive routing').enable('strict routing');
  app.use(beginAnswer(), securityHeaders(), cors(deps.cors.options()), refusePath());
  const limit = limitPerAddress(deps.perAddress);
  for (const route of deps.routes ?? ROUTES) addRoute(app, route, limit, deps);
  app.use(limit, notHere(deps.routes ?? ROUTES));
  app.use(noteOutcome(), problemHandler(deps.log));
  return app;
}

function addRoute(app: Express, route: RouteSpec, limit: RequestHandler, deps: ControlPlaneDeps): void {
  if (route.path === FORWARD_ROUTE) return; // the lean path's
  const name = `${route.method} ${route.path}`;
  const handlers = route.service === 'gateway' ? deps.local[name] : deps.proxies[route.service];
  if (handlers === undefined) throw new Error(`nobody answers ${name}`);
  const before = [identify(route, deps), ...(UNCOUNTED.has(name) ? [] : [limit]), authorize(route)];
  const own = deps.ownLimits[name];
  if (own !== undefined) before.push(limitPerAddress(own.window, own.name));
  if (route.service !== 'gateway') before.push(collectControlBody());
  const method = METHODS[route.method];
  app[method](route.path, noteRoute(route), ...before, handlers as RequestHandler);
}

function beginAnswer(): RequestHandler {
  return function setIdAndBaseHeaders(req, res, next) {
    req.id = req.call?.id ?? '';
    setBaseHeaders(res);
    res.setHeader('X-Request-Id', req.id);
    next();
  };
}

/** helmet for what the base headers do not say. HSTS is the edge's: only it knows that TLS is there. */
const securityHeaders = () =>
  helmet({
    contentSecurityPolicy: false,
    strictTransportSecurity: false,
    xFrameOptions: { action: 'deny' },
  });

function refusePath(): RequestHandler {
  return function refuseAmbiguousPath(req, _res, next) {
    const refusal = refuseControlPath(req.originalUrl);
    if (refusal !== undefined) throw new ProblemError(refusal.code, refusal.detail);
    const maxBytes = LONGER_BODIES[req.path] ?? MAX_BODY_BYTES;
    if ((req.call?.headers.contentLength ?? 0) > maxBytes)
      throw new ProblemError('payload_too_large', `The body may have at most ${maxBytes} bytes.`);
    next();
  };
}

const noteRoute = ({ path }: RouteSpec): RequestHandler =>
  function noteRoutePattern(req, _res, next) {
    if (req.call !== undefined) req.call.route = path;
    next();
  };

/** Who is calling; a wrong credential ends here, before the address's own limit is touched. */
function identify({ audience }: RouteSpec, { authentication }: ControlPlaneDeps): RequestHandler {
  return async function identifyCaller(req, _res, next) {
    const { call } = req;
    if (call === undefined) throw new Error('a request without its call');
    req.who = await authentication.identify(audience, call.headers, call.address);
    call.who = req.who.label;
    next();
  };
}

function authorize({ audience }: RouteSpec): RequestHandler {
  return function authorizeCaller(req, _res, next) {
    const caller = req.who?.caller ?? { kind: 'anonymous' };
    const { slug } = req.params;
    const code = refuseAccess(audience, caller, typeof slug === 'string' ? slug : undefined);
    if (code !== undefined) throw new ProblemError(code, accessDetail(code));
    next();
  };
}

/** One window for an address, whichever road its requests take. */
function limitPerAddress(store: RateWindow, identifier = POLICY): RequestHandler {
  const addressOf = (req: express.Request) => req.call?.address ?? '';
  return rateLimit({
    windowMs: 60_000,
    limit: store.limit,
    store,
    identifier,
    keyGenerator: addressOf,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    validate: { singleCount: false, unsharedStore: false, keyGeneratorIpFallback: false, ip: false },
    handler: (req, _res, next) => {
      const retryAfter = store.secondsToNext(addressOf(req));
      next(new ProblemError('rate_limited', 'Too many requests from this address.', { retryAfter }));
    },
  });
}

function collectControlBody(): RequestHandler {
  return async function collectBody(req, res, next) {
    const { contentLength = 0, chunked = false, expect } = req.call?.headers ?? {};
    if (contentLength <= 0 && !chunked) return next();
    const encoding = req.headers['content-encoding'];
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
      throw new ProblemError('unsupported_media_type', 'Send the body without a Content-Encoding.');
    if (expect !== undefined) res.writeContinue();
    req.collected = await readBody(req, MAX_BODY_BYTES);
    next();
  };
}

/** 405 where only the method is wrong, with what is allowed; otherwise 404. */
function notHere(routes: readonly RouteSpec[]): RequestHandler {
  const patterns = routes.map(({ path, method }) => ({ method, pattern: patternOf(path) }));
  return function refuseUnknownRoute(req, res) {
    const methods = patterns.filter(({ pattern }) => pattern.test(req.path)).map(({ method }) => method);
    if (methods.length === 0) throw new ProblemError('not_found', NOT_FOUND);
    res.setHeader('Allow', [...new Set(methods)].join(', '));
    throw new ProblemError('method_not_allowed', 'This method is not allowed here.');
  };
}

function patternOf(path: string): RegExp {
  const parts = path.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+';
    return part === '*' ? '.*' : part.replace(/[.]/g, '\\.');
  });
  return new RegExp(`^${parts.join('/')}$`);
}

function noteOutcome(): ErrorRequestHandler {
  return function noteProblemCode(err: unknown, req, res, next) {
    const code: Problem['code'] | undefined = err instanceof ProblemError ? err.code : undefined;
    if (req.call !== undefined) req.call.outcome = code ?? 'internal';
    if (req.call?.headers.expect !== undefined) res.shouldKeepAlive = false;
    next(err);
  };
}
