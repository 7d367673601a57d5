import type { CallOptions, Core } from '../client/core.ts';

export interface Health {
  status: 'ok';
  service: string;
  version: string;
  uptime: number;
  [fact: string]: unknown;
}

/** Whether the mesh answers, and what it is. */
export const healthOf = (core: Core) => ({
  show: (options?: CallOptions) => core.json<Health>('GET', '/health', { ...options, as: 'nobody' }),
  clock: (options?: CallOptions) => core.json<Health>('GET', '/sync/health', { ...options, as: 'nobody' }),
  /** Whether the gateway can serve. @throws ZeqError with status 503 when it cannot. */
  ready: (options?: CallOptions) =>
    core.json<Record<string, unknown>>('GET', '/ready', { ...options, as: 'nobody' }),
  /** Versions and figures; needs `platformKey`. */
  platformStatus: (options?: CallOptions) =>
    core.json<Record<string, unknown>>('GET', '/api/v1/status', { ...options, as: 'platform' }),
});
