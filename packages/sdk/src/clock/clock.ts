import type { ChainPage, ChainQuery, SyncStatus, Tick } from '@zeq/contracts';
import type { CallOptions, Core } from '../client/core.ts';
import type { TickVerdict } from '../wire.ts';
import { type FollowOptions, followTicks } from './follow-ticks.ts';

/** The clock and its chain; everybody may ask. */
export const clockOf = (core: Core) => {
  const chain = (query: Partial<ChainQuery> = {}, options?: CallOptions) =>
    core.json<ChainPage>('GET', '/sync/chain', { ...options, as: 'nobody', query });
  return {
    status: (options?: CallOptions) =>
      core.json<SyncStatus>('GET', '/sync/status', { ...options, as: 'nobody' }),
    chain,
    /** Asks the mesh whether a tick stands in its chain; with `context`, whether it is fresh there as well. */
    verify: (tick: Tick, context?: string, options?: CallOptions) =>
      core.json<TickVerdict>('POST', '/sync/verify', {
        ...options,
        as: 'nobody',
        json: { tick, ...(context !== undefined && { context }) },
      }),
    /** Ticks as they come, each verified here; see `followTicks`. */
    ticks: (options: FollowOptions = {}) => followTicks(core, chain, options),
  };
};
