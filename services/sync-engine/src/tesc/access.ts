import { type Caller, type RouteSpec, refuseAccess } from '@zeq/contracts';
import { ProblemError, type ServiceTokenVerifier } from '@zeq/service-kit';
import type { Tesc } from './tesc.ts';

/**
 * The machine on whose behalf the gateway calls. A key of scope `read` may look, not speak.
 *
 * @throws ProblemError `unauthorized` or `forbidden`.
 */
export function callerOf(
  verifier: ServiceTokenVerifier,
  token: unknown,
  { audience, method }: Pick<RouteSpec, 'audience' | 'method'>,
): string {
  const claims = verifier.verify(typeof token === 'string' ? token : undefined, ['gateway']);
  if (!claims) throw new ProblemError('unauthorized', 'TESC is reached through the gateway.');
  const caller: Caller = claims.caller;
  const code = refuseAccess(audience, caller, undefined);
  if (code !== undefined) throw new ProblemError(code, 'A machine key is needed here.');
  if (caller.kind !== 'owner') throw new ProblemError('unauthorized', 'A machine key is needed here.');
  if (caller.scope === 'read' && method !== 'GET')
    throw new ProblemError('forbidden', 'A key of scope read may receive, not send.');
  return caller.machine_id;
}

export function requireTesc(tesc: Tesc | undefined): Tesc {
  if (tesc) return tesc;
  throw new ProblemError('tesc_disabled', 'TESC is off: ZEQ_SYNC_SECRET is not set.');
}
