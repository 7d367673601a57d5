import { ProblemError, type WindowVerdict } from '@zeq/service-kit';
import type { Allowed } from '../decision/decide.ts';
import type { ApiStates } from './api-state.ts';
import type { CallWindow, CallWindows } from './call-windows.ts';
import type { Tenant } from './tenants.ts';

const WINDOW_SECONDS = 60;

/** A refusal with the figures of draft-ietf-httpapi-ratelimit-headers. */
export class RateLimited extends ProblemError {
  readonly fields: { 'RateLimit-Policy': string; RateLimit: string };

  constructor(what: 'api' | 'app-token', limit: number, waitMs: number) {
    const seconds = Math.max(1, Math.ceil(waitMs / 1000));
    super('rate_limited', `The limit of ${limit} calls a minute is reached.`, { retryAfter: seconds });
    this.fields = {
      'RateLimit-Policy': `"${what}";q=${limit};w=${WINDOW_SECONDS}`,
      RateLimit: `"${what}";r=0;t=${seconds}`,
    };
  }
}

/**
 * @param now Monotonic ms.
 * @throws ProblemError `concurrency_limited` when as many calls of the API are in flight as it allows.
 */
export function requireRoom({ api: { state }, limits }: Allowed, now: number): void {
  if (state.inFlight < limits.concurrency) return;
  throw new ProblemError('concurrency_limited', 'Too many calls of this API are in flight.', {
    retryAfter: state.returns.nextSeconds(now),
  });
}

/**
 * A machine may have as many calls in flight as places are still free: alone it gets half of the process, two that want all of
 * it get a third each, and whoever comes next always finds room (the dynamic threshold of Choudhury and Hahne, 1998, for
 * shared buffers). No list of the active machines is needed, and nothing is set aside for machines that do not call.
 *
 * @param open Calls of everybody. @param most Calls that the process carries at once. @param now Monotonic ms.
 * @throws ProblemError `overloaded` when no place is free, `concurrency_limited` when the machine has its share.
 */
export function requireShare(tenant: Tenant, open: number, most: number, now: number): void {
  const free = most - open;
  if (free > tenant.calls) return;
  if (free <= 0)
    throw new ProblemError('overloaded', 'The forwarder carries as many calls as it can.', { retryAfter: 1 });
  throw new ProblemError('concurrency_limited', 'This machine has its share of the calls in flight.', {
    retryAfter: tenant.returns.nextSeconds(now),
  });
}

/**
 * @param now Monotonic ms.
 * @throws ProblemError `circuit_open` while calls are held back from an upstream that keeps failing.
 */
export function requireCircuit({ api: { state } }: Allowed, now: number): void {
  const waitMs = state.circuit.waitMs();
  if (waitMs === 0) return;
  throw new ProblemError('circuit_open', 'The upstream failed too often in a row; calls are held back.', {
    retryAfter: Math.max(Math.ceil(waitMs / 1000), state.returns.nextSeconds(now)),
  });
}

/**
 * Counts a call against its API's minute and its app token's, or refuses it; a refused call is counted nowhere.
 *
 * @param now Monotonic ms.
 * @returns A promise only where the count is shared with other replicas.
 * @throws RateLimited, or rejects with it
 */
export function takeLimits(
  { api, perMinute, appPerMinute }: Allowed,
  windows: CallWindows,
  states: ApiStates,
  now: number,
): undefined | Promise<void> {
  const asked: CallWindow[] = [{ state: api.state, limit: perMinute }];
  if (appPerMinute !== null)
    asked.push({ state: states.of(appPerMinute.tokenId, now), limit: appPerMinute.limit });
  api.state.usedAt = now;
  const verdict = windows.take(asked, now);
  if (verdict instanceof Promise) return verdict.then((late) => requireCounted(late, asked));
  requireCounted(verdict, asked);
  return undefined;
}

function requireCounted({ refusedBy, waitMs }: WindowVerdict, asked: readonly CallWindow[]): void {
  if (refusedBy >= 0)
    throw new RateLimited(refusedBy === 0 ? 'api' : 'app-token', asked[refusedBy]!.limit, waitMs);
}
