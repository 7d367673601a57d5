import type { AuditGrowth, AuditHead, AuditPage, AuditQuery } from '@zeq/contracts';
import { logHasGrown } from '@zeq/crypto/web';
import type { CallOptions, Core } from '../client/core.ts';
import { clockOf } from '../clock/clock.ts';
import { apiPath } from '../resources/apis.ts';
import { type AuditVerdict, type CheckOptions, checkPage } from './check-page.ts';

/** The record of a credential: every use of it and every change to it. What it says is checked here, not believed. */
export const auditOf = (core: Core) => {
  const { chain } = clockOf(core);
  const growth = (since: number | undefined, options?: CallOptions) =>
    core.json<AuditGrowth>('GET', '/api/zeq/audit/head', {
      ...options,
      ...(since !== undefined && { query: { since } }),
    });
  return {
    /** In the order of the log, the oldest first; `next` goes into `after`. `api` may be the id of one that was removed. */
    of: async (api: string, query: Partial<AuditQuery> = {}, options?: CallOptions): Promise<AuditPage> =>
      core.json('GET', `${await apiPath(core, api)}/audit`, { ...options, query }),

    /** Where the log stands. */
    head: async (options?: CallOptions): Promise<AuditHead> => (await growth(undefined, options)).head,

    /** Checks every entry against the head, and the head against the ticks of the clock; see `checkPage`. */
    check: (page: AuditPage, wanted: CheckOptions = {}, options?: CallOptions): Promise<AuditVerdict> =>
      checkPage(chain, page, wanted, options),

    /** Whether the log only grew since a head that was kept: nothing that it held then was changed or taken out. */
    async growthSince(
      earlier: AuditHead,
      options?: CallOptions,
    ): Promise<{ head: AuditHead; isGrown: boolean }> {
      const { head, path } = await growth(earlier.size, options);
      return { head, isGrown: await logHasGrown(earlier, head, path ?? []) };
    },
  };
};
