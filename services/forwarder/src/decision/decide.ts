import { type Caller, NEVER_FORWARDED, type Policy, type ProblemCode } from '@zeq/contracts';
import { type BaseUrl, joinPath, type PathRule } from '@zeq/egress';
import type { Injection, LeasedApi } from '../leases/leased-api.ts';
import { withoutOwnParameters } from '../request/query.ts';
import { allowsMethod, allowsPath, refuseScope } from './scope.ts';

/** What somebody wants of the world outside. */
export interface Ask {
  caller: Caller;
  method: string;
  /** Path and query below the API's base URL. */
  rest: string;
  /** How often the call has been through a mesh already. */
  hops: number;
}

/**
 * The one decision about a call: where it may go, what is injected, which limits hold, and why. Forwarding, `/test` and
 * WebSocket all carry it; nothing leaves the mesh without one.
 */
export type Decision = Allowed | Refused;

export interface Allowed {
  allowed: true;
  api: LeasedApi;
  url: BaseUrl;
  method: string;
  /** Path and query as they go upstream, without a credential that travels in the query. */
  path: string;
  inject: Injection | undefined;
  limits: Policy;
  /** Caller or API may use some methods only. */
  limitsMethods: boolean;
  perMinute: number;
  /** The app token's own limit; null when it has none or there is no app token. */
  appPerMinute: { tokenId: string; limit: number } | null;
  reason: 'owner' | 'app token';
}

export interface Refused {
  allowed: false;
  code: ProblemCode;
  detail: string;
}

/** Pure: the same ask and lease always give the same decision. */
export function decide(ask: Ask, api: LeasedApi): Decision {
  const { caller, method, rest, hops } = ask;
  const { lease } = api;
  if (hops >= MAX_HOPS) return refused('loop_detected', 'The call has been through the mesh twice already.');
  if (NEVER_FORWARDED.includes(method))
    return refused('method_not_allowed', `${NEVER_FORWARDED.join(', ')} are never forwarded.`);
  if (!api.base.ok)
    return refused('egress_refused', `The base URL breaks the egress policy (${api.base.rule}).`);
  const joined = joinPath(api.base.url.basePath, rest);
  if (!joined.ok) return refused('invalid_path', PATH_DETAILS[joined.rule]);
  const scope =
    refuseByScope(caller, lease.api_id, method, rest) ?? refuseByPolicy(lease.policy, method, rest);
  if (scope !== undefined) return scope;
  if (lease.auth_state !== 'ok') return CREDENTIAL_PROBLEMS[lease.auth_state];
  return {
    allowed: true,
    api,
    url: api.base.url,
    method,
    path: withoutOwnParameters(joined.path, api.inject?.kind === 'query' ? api.inject.name : undefined),
    inject: api.inject,
    limits: lease.policy,
    limitsMethods:
      lease.policy.allowed_methods !== null || (caller.kind === 'app' && caller.allowed_methods !== null),
    perMinute: lease.rate_limit_per_min,
    appPerMinute: appLimit(caller),
    reason: caller.kind === 'app' ? 'app token' : 'owner',
  };
}

/** One hop more than none is a mesh behind a mesh; the next one is a loop. */
const MAX_HOPS = 2;

function refuseByScope(caller: Caller, apiId: string, method: string, rest: string): Refused | undefined {
  if (caller.kind !== 'app') return undefined;
  const refusal = refuseScope(caller, apiId, method, rest);
  return refusal === undefined
    ? undefined
    : refused('out_of_scope', `The token does not cover this ${refusal}.`);
}

function refuseByPolicy(policy: Policy, method: string, rest: string): Refused | undefined {
  if (!allowsMethod(policy.allowed_methods, method))
    return refused('method_not_allowed', 'The policy of this API does not allow the method.');
  if (!allowsPath(policy.allowed_path_prefixes, rest))
    return refused('forbidden', 'The policy of this API does not allow the path.');
  return undefined;
}

const appLimit = (caller: Caller): Allowed['appPerMinute'] =>
  caller.kind === 'app' && caller.rate_limit_per_min !== null
    ? { tokenId: caller.token_id, limit: caller.rate_limit_per_min }
    : null;

const refused = (code: ProblemCode, detail: string): Refused => ({ allowed: false, code, detail });

const CREDENTIAL_PROBLEMS = {
  missing: refused(
    'credential_missing',
    'Give the API its auth header; it has none for its present base URL.',
  ),
  needs_new_header: refused('credential_unreadable', 'The stored credential does not open; give it again.'),
} as const;

const PATH_DETAILS: Record<PathRule, string> = {
  'path-start': 'The path must begin with exactly one slash.',
  'path-length': 'The path is longer than 8192 characters.',
  'path-control': 'The path holds a control character, raw or encoded.',
  'path-backslash': 'The path holds a backslash, raw or encoded.',
  'path-fragment': 'The path holds a fragment.',
  'path-bad-percent': 'The path holds a malformed percent escape.',
  'path-dot-segment': 'The path holds a dot segment, raw or encoded.',
};

/** The decision as the words of its log line: no path, no query, no credential. */
export const describeDecision = ({ api, url, inject, reason }: Allowed): string =>
  `${reason}; ${api.lease.api_id} at ${url.origin}; ${inject === undefined ? 'no credential' : inject.kind}`;
