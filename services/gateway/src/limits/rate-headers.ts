import type { RateWindow } from './rate-window.ts';

/** The policy's name in the RateLimit fields, on both roads. */
export const POLICY = 'per-address';

/** `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-08) as raw pairs. */
export function rateHeaders(window: RateWindow, key: string): string[] {
  return [
    'RateLimit',
    `"${POLICY}";r=${window.left(key)};t=${window.secondsToNext(key)}`,
    'RateLimit-Policy',
    `"${POLICY}";q=${window.limit};w=60`,
  ];
}
