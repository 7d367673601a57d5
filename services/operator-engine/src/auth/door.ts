import { type Caller, type OwnerCaller, ROUTES, type RouteSpec, refuseAccess } from '@zeq/contracts';
import { ProblemError } from '@zeq/service-kit';
import type { Request, RequestHandler, Response, Router } from 'express';
import type { Authenticate } from './authenticate.ts';

export type Handler = (req: Request, res: Response, caller: Caller) => unknown;

const TEXT = {
  not_found: 'There is nothing here, or it is not yours.',
  unauthorized: 'The credential is missing or not valid.',
};

/**
 * Adds a route with the audience that the table of routes gives it. A route that is not in the table cannot be added, so the
 * gateway and this service cannot disagree about who may use it.
 */
export function addRoute(
  router: Router,
  authenticate: Authenticate,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  ...rest: [...RequestHandler[], Handler]
): void {
  const { audience } = specOf(method, path);
  const handler = rest.at(-1) as Handler;
  const before = rest.slice(0, -1) as RequestHandler[];
  const verb = method.toLowerCase() as 'get' | 'post' | 'put' | 'delete';
  router[verb](
    path,
    async function admit(req, res, next) {
      const caller = audience === 'public' ? ({ kind: 'anonymous' } as const) : await authenticate(req);
      const refusal = refuseAccess(audience, caller, slugOf(req));
      if (refusal !== undefined)
        throw new ProblemError(
          refusal,
          TEXT[refusal as keyof typeof TEXT] ?? 'This credential does not cover this route.',
        );
      res.locals.caller = caller;
      next();
    },
    ...before,
    async function answer(req, res) {
      await handler(req, res, res.locals.caller as Caller);
    },
  );
}

function specOf(method: string, path: string): RouteSpec {
  const spec = ROUTES.find((route) => route.method === method && route.path === path);
  if (spec === undefined) throw new Error(`${method} ${path} is not in the table of routes`);
  return spec;
}

const slugOf = (req: Request): string | undefined =>
  typeof req.params.slug === 'string' ? req.params.slug : undefined;

/** For routes whose audience admits machines only. */
export function ownerOf(caller: Caller): OwnerCaller {
  if (caller.kind !== 'owner')
    throw new ProblemError('forbidden', 'This credential does not cover this route.');
  return caller;
}

/** The machine whose own operators a caller sees beside the built-in ones. */
export const machineOf = (caller: Caller): string | undefined =>
  caller.kind === 'owner' ? caller.machine_id : undefined;

/** Keys, sessions and the platform see everything; app tokens are for forwarding and count as the public. */
export const isAuthenticated = (caller: Caller): boolean =>
  caller.kind === 'owner' || caller.kind === 'platform' || caller.kind === 'operator';
