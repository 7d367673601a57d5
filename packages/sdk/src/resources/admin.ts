import type { Machine, MintedKey, RotationStatus, SaltRotation } from '@zeq/contracts';
import type { CallOptions, Core, RequestOptions } from '../client/core.ts';
import { path } from '../client/paths.ts';
import type { MachinePage, MintKeyInput } from '../wire.ts';

/** What the operator of a mesh may do; needs `adminKey`. None of it shows a credential. */
export const adminOf = (core: Core) => {
  const asAdmin = (options?: CallOptions): RequestOptions => ({ ...options, as: 'admin' });
  return {
    async machines(options?: CallOptions): Promise<Machine[]> {
      const pages = await core.pages<MachinePage>('/api/zeq/admin/machines', asAdmin(options));
      return pages.flatMap(({ machines }) => machines);
    },
    async removeMachine(slug: string, options?: CallOptions): Promise<void> {
      await core.json('DELETE', path`/api/zeq/admin/machines/${slug}`, asAdmin(options));
    },
    rotateSalt: (slug: string, options?: CallOptions) =>
      core.json<SaltRotation>('POST', path`/api/zeq/admin/machines/${slug}/rotate-salt`, asAdmin(options)),
    mintPlatformKey: (wanted: MintKeyInput = {}, options?: CallOptions) =>
      core.json<MintedKey>('POST', '/api/zeq/admin/platform/keys', { ...asAdmin(options), json: wanted }),
    startRotation: (options?: CallOptions) =>
      core.json<RotationStatus>('POST', '/api/zeq/admin/rotate-field-key', asAdmin(options)),
    rotation: (options?: CallOptions) =>
      core.json<RotationStatus>('GET', '/api/zeq/admin/rotate-field-key', asAdmin(options)),
    cancelRotation: (options?: CallOptions) =>
      core.json<RotationStatus>('DELETE', '/api/zeq/admin/rotate-field-key', asAdmin(options)),
    health: (options?: CallOptions) =>
      core.json<Record<string, unknown>>('GET', '/api/zeq/admin/health', asAdmin(options)),
  };
};
