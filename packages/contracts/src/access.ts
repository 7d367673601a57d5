import type { Caller } from './internal.ts';
import type { KeyScope } from './machines.ts';
import type { ProblemCode } from './problems.ts';

/**
 * Who may use a route:
 * - `public`: anyone; nobody is asked who they are
 * - `optional`: anyone; a machine key or session, when one is presented, is checked and shows more
 * - `platform`: `X-API-Key`
 * - `operator`: `X-Admin-Key`
 * - `owner`: a machine key of scope owner, or a session of one, under its own slug
 * - `reader`: a machine key of any scope, or a session, under its own slug
 * - `forward`: a machine key of scope owner or forward, a session of one, or an app token, under its own slug
 * - `bearer`: any machine key or session, without a slug
 */
export type Audience =
  | 'public'
  | 'optional'
  | 'platform'
  | 'operator'
  | 'owner'
  | 'reader'
  | 'forward'
  | 'bearer';

/**
 * Decides whether a caller may use a route. A foreign or unknown slug is `not_found`, never `forbidden`, so that nobody
 * learns which slugs exist.
 *
 * @param slug The slug of the path, or undefined for a route without one.
 * @returns The problem code of the refusal, or undefined when the caller may go on.
 */
export function refuseAccess(
  audience: Audience,
  caller: Caller,
  slug: string | undefined,
): ProblemCode | undefined {
  if (audience === 'public' || audience === 'optional') return undefined;
  if (audience === 'platform' || audience === 'operator')
    return caller.kind === audience ? undefined : 'unauthorized';
  if (caller.kind !== 'owner' && caller.kind !== 'app') return 'unauthorized';
  if (slug !== undefined && caller.slug !== slug) return 'not_found';
  if (caller.kind === 'app') return audience === 'forward' ? undefined : 'forbidden';
  return SCOPES[audience].includes(caller.scope) ? undefined : 'forbidden';
}

const SCOPES: Record<'owner' | 'reader' | 'forward' | 'bearer', readonly KeyScope[]> = {
  owner: ['owner'],
  reader: ['owner', 'forward', 'read'],
  forward: ['owner', 'forward'],
  bearer: ['owner', 'forward', 'read'],
};
