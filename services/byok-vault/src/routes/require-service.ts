import { SERVICE_TOKEN_HEADER, type ServiceClaims, type ServiceName } from '@zeq/contracts';
import { ProblemError, type ServiceTokenVerifier } from '@zeq/service-kit';
import type { RequestHandler } from 'express';

declare global {
  namespace Express {
    interface Locals {
      /** Set by `requireService`: who calls, and on whose behalf. */
      claims: ServiceClaims;
    }
  }
}

/** Lets in only services that present a token for the vault; what the token says is in `res.locals.claims`. */
export function requireService(
  verifier: ServiceTokenVerifier,
  issuers: readonly ServiceName[],
): RequestHandler {
  return function checkService(req, res, next) {
    const token = req.headers[SERVICE_TOKEN_HEADER];
    const claims = verifier.verify(typeof token === 'string' ? token : undefined, issuers);
    if (claims === undefined)
      throw new ProblemError('unauthorized', 'This route is for the services of the mesh.');
    res.locals.claims = claims;
    next();
  };
}
