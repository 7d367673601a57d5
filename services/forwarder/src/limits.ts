import { ProblemError } from '@zeq/service-kit';
import type { ApiStates } from './api-state.ts';
import type { Allowed } from './decide.ts';

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
 * Counts a call against its API's limits and its app token's, or refuses it; a refused call is counted nowhere.
 *
 * @param now Monotonic ms.
 * @throws RateLimited, or ProblemError `concurrency_limited`
 */
export function takeLimits(decision: Allowed, states: ApiStates, now: number): void {
  const { state } = decision.api;
  const app = decision.appPerMinute;
  const appState = app === null ? undefined : states.of(app.tokenId, now);
  if (state.inFlight >= decision.limits.concurrency)
    throw new ProblemError('concurrency_limited', 'Too many calls of this API are in flight.', {
      retryAfter: 1,
    });
  const waitMs = state.window.waitMs(decision.perMinute, now);
  if (waitMs > 0) throw new RateLimited('api', decision.perMinute, waitMs);
  const appWaitMs = app === null ? 0 : appState!.window.waitMs(app.limit, now);
  if (appWaitMs > 0) throw new RateLimited('app-token', app!.limit, appWaitMs);
  state.window.count();
  appState?.window.count();
  state.usedAt = now;
}
