import type { CreateMachine, MintedKey } from '@zeq/contracts';
import type { CallOptions, Core } from '../client/core.ts';
import { path } from '../client/paths.ts';
import type { CreatedMachine, MachineKeys, MintKeyInput } from '../wire.ts';

/** Machines (tenants). The answer that makes one is the only one that shows its first key. */
export const machinesOf = (core: Core) => ({
  /** Needs `platformKey`. */
  create: (machine: CreateMachine, options?: CallOptions) =>
    core.json<CreatedMachine>('POST', '/api/zeq/machines', { ...options, as: 'platform', json: machine }),

  /** Removes the machine of this key with everything it holds. */
  async remove(options?: CallOptions): Promise<void> {
    await core.json('DELETE', path`/api/zeq/machines/${await core.slug()}`, options);
  },
});

/** Keys of the machine. */
export const keysOf = (core: Core) => ({
  async list(options?: CallOptions): Promise<MachineKeys> {
    const pages = await core.pages<{ keys: MachineKeys }>(await keysPath(core), options);
    return pages.flatMap(({ keys }) => keys);
  },

  /** The answer is the only one that shows the key. */
  mint: async (wanted: MintKeyInput = {}, options?: CallOptions): Promise<MintedKey> =>
    core.json('POST', await keysPath(core), { ...options, json: wanted }),

  async revoke(id: string, options?: CallOptions): Promise<void> {
    await core.json('DELETE', (await keysPath(core)) + path`/${id}`, options);
  },
});

const keysPath = async (core: Core) => path`/api/zeq/machines/${await core.slug()}/keys`;
