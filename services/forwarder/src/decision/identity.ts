import { type AppCaller, type Audience, type OwnerCaller, refuseAccess } from '@zeq/contracts';
import { ProblemError, type ServiceTokenVerifier } from '@zeq/service-kit';

export type ForwardCaller = OwnerCaller | AppCaller;

const DETAILS = {
  unauthorized: 'Calls reach the forwarder through the gateway, with its service token.',
  not_found: 'There is no such machine or API.',
} as const;

/**
 * Who calls, as the gateway found out; the token and the slug are checked here again.
 *
 * @throws ProblemError `unauthorized`, `forbidden`, or `not_found` for a slug that is not the caller's.
 */
export function identify(
  verifier: ServiceTokenVerifier,
  token: string | undefined,
  audience: Audience,
  slug: string,
): ForwardCaller {
  const claims = verifier.verify(token, ['gateway']);
  if (claims === undefined) throw new ProblemError('unauthorized', DETAILS.unauthorized);
  const { caller } = claims;
  const refusal = refuseAccess(audience, caller, slug);
  if (refusal === 'not_found') throw new ProblemError('not_found', DETAILS.not_found);
  if (refusal !== undefined || (caller.kind !== 'owner' && caller.kind !== 'app'))
    throw new ProblemError(refusal ?? 'unauthorized', 'This key or token may not do that.');
  return caller;
}
