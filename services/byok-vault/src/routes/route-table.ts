import { type Caller, ROUTES, type RouteSpec, refuseAccess } from '@zeq/contracts';
import { ProblemError, type ServiceTokenVerifier, strictJson } from '@zeq/service-kit';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { notFound } from '../apis/not-found.ts';
import { requireService } from './require-service.ts';

/** A request that has passed its route's access check. */
export interface Call {
  caller: Caller;
  /** The caller's own machine; empty on routes that are not under a slug. */
  machineId: string;
  params: Readonly<Record<string, string>>;
  query: unknown;
  /** The `Accept` header; empty where there is none. */
  accept: string;
  body: unknown;
}

/** What a handler answers; the status is the route's own. */
export interface Answer {
  body?: unknown;
  /** Where the list goes on. */
  next?: string | undefined;
  /** Instead of a body: text of another type, to be saved under this name. */
  file?: { type: string; name: string; text: string };
}

export type Handler = (call: Call) => Promise<Answer>;

/** By `METHOD path`, exactly as in the table of contracts. */
export type Handlers = Readonly<Record<string, Handler>>;

const MAX_BODY_BYTES = 1_048_576;

/**
 * Every public route of the vault, from the one table of contracts: the access check comes from the table too, so no handler can
 * be reached without it.
 *
 * @throws Error when a route of the table has no handler, or a handler no route.
 */
export function publicRouter(handlers: Handlers, verifier: ServiceTokenVerifier): Router {
  const routes = ROUTES.filter((route) => route.service === 'byok-vault');
  requireSameKeys(routes.map(keyOf), Object.keys(handlers));
  const router = Router({ caseSensitive: true, strict: true });
  for (const route of routes) {
    const method = route.method.toLowerCase() as 'get' | 'post' | 'patch' | 'delete';
    router[method](
      route.path,
      requireService(verifier, ['gateway']),
      requireAccess(route),
      strictJson({ maxBytes: MAX_BODY_BYTES }),
      answerWith(route, handlers[keyOf(route)]!),
    );
  }
  return router;
}

const keyOf = ({ method, path }: RouteSpec): string => `${method} ${path}`;

function requireSameKeys(routes: string[], handlers: string[]): void {
  const missing = routes.filter((key) => !handlers.includes(key));
  const unknown = handlers.filter((key) => !routes.includes(key));
  if (missing.length + unknown.length > 0)
    throw new Error(`routes without a handler: ${missing}; handlers without a route: ${unknown}`);
}

function requireAccess({ audience }: RouteSpec): RequestHandler {
  return function checkAccess(req, res, next) {
    const caller: Caller = res.locals.claims.caller;
    const { slug } = req.params;
    const code = refuseAccess(audience, caller, typeof slug === 'string' ? slug : undefined);
    if (code === 'not_found') throw notFound();
    if (code !== undefined) throw new ProblemError(code, 'This caller may not use this route.');
    next();
  };
}

const answerWith = (route: RouteSpec, handler: Handler): RequestHandler =>
  async function answer(req, res) {
    const caller: Caller = res.locals.claims.caller;
    const { body, next, file } = await handler({
      caller,
      machineId: 'machine_id' in caller ? caller.machine_id : '',
      params: req.params as Record<string, string>,
      query: req.query,
      accept: req.headers.accept ?? '',
      body: req.body,
    });
    if (next !== undefined) res.set('Link', `<${nextLink(req, next)}>; rel="next"`);
    if (file !== undefined) sendFile(res, file);
    else send(res, route.success.status, body);
  };

function send(res: Response, status: number, body: unknown): void {
  res.status(status).set('Cache-Control', 'no-store');
  if (body === undefined) res.end();
  else res.json(body);
}

function sendFile(res: Response, { type, name, text }: NonNullable<Answer['file']>): void {
  res.set({
    'Cache-Control': 'no-store',
    'Content-Type': type,
    'Content-Disposition': `attachment; filename="${name}"`,
  });
  res.end(text);
}

function nextLink(req: Request, next: string): string {
  const query = new URLSearchParams(req.query as Record<string, string>);
  query.set('after', next);
  return `${req.path}?${query}`;
}
