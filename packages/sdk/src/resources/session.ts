import type { SessionInfo } from '@zeq/contracts';
import type { CallOptions, Core } from '../client/core.ts';
import type { SessionGrant } from '../wire.ts';

/** Sessions: what a key may be exchanged for, so that the key itself travels once. */
export const sessionOf = (core: Core) => ({
  /** A token of 15 minutes that may do what the key may. */
  create: (options?: CallOptions) => core.json<SessionGrant>('POST', '/api/zeq/session', options),

  /** Signs out: the session that is the key of this client, and all its renewals, end at once. */
  async end(options?: CallOptions): Promise<void> {
    await core.json('DELETE', '/api/zeq/session', options);
  },

  /** Whose key or session this is. */
  show: (options?: CallOptions) => core.json<SessionInfo>('GET', '/api/zeq/session', options),
});
