import type { ActivityPage, ActivityQuery, Usage, UsageQuery, UsageSummary } from '@zeq/contracts';
import type { CallOptions, Core } from '../client/core.ts';
import { path } from '../client/paths.ts';
import { apiPath } from './apis.ts';

type NoFormat<T> = Omit<T, 'format'>;

/** How much was called, and by whom. */
export const usageOf = (core: Core) => ({
  /** Figures of one API, in steps; without a query those of the last hour. */
  of: async (api: string, query: NoFormat<UsageQuery> = {}, options?: CallOptions): Promise<Usage> =>
    core.json('GET', `${await apiPath(core, api)}/usage`, { ...options, query }),

  csv: async (api: string, query: NoFormat<UsageQuery> = {}, options?: CallOptions): Promise<string> =>
    core.text('GET', `${await apiPath(core, api)}/usage`, { ...options, query: { ...query, format: 'csv' } }),

  /** The last hour of every API that was called in it. */
  summary: async (options?: CallOptions): Promise<UsageSummary> =>
    core.json('GET', path`/api/zeq/usage/${await core.slug()}`, options),

  /** The latest calls, the newest first. */
  activity: async (
    api: string,
    query: Partial<NoFormat<ActivityQuery>> = {},
    options?: CallOptions,
  ): Promise<ActivityPage> => core.json('GET', `${await apiPath(core, api)}/activity`, { ...options, query }),

  activityCsv: async (
    api: string,
    query: Partial<NoFormat<ActivityQuery>> = {},
    options?: CallOptions,
  ): Promise<string> =>
    core.text('GET', `${await apiPath(core, api)}/activity`, {
      ...options,
      query: { ...query, format: 'csv' },
    }),
});
