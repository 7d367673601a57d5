import type {
  ApiView,
  AppToken,
  Auth,
  MintedToken,
  MintToken,
  PatchApi,
  RegisterApiInput,
  TestCallInput,
  TestResult,
} from '@zeq/contracts';
import type { CallOptions, Core } from '../client/core.ts';
import { path } from '../client/paths.ts';

/** The new credential of an API: the whole line, another place for it, or the bare key of a preset. */
export type Credential = { auth_header: string } | { auth: Auth } | { api_key: string };

/** Registered APIs. `api` is an id or a name everywhere. No answer holds a credential. */
export const apisOf = (core: Core) => ({
  list: async (options?: CallOptions): Promise<ApiView[]> =>
    (await core.pages<ApiView[]>(await apisPath(core), options)).flat(),

  get: async (api: string, options?: CallOptions): Promise<ApiView> =>
    core.json('GET', await apiPath(core, api), options),

  add: async (registration: RegisterApiInput, options?: CallOptions): Promise<ApiView> =>
    core.json('POST', await apisPath(core), { ...options, json: registration }),

  update: async (api: string, change: PatchApi, options?: CallOptions): Promise<ApiView> =>
    core.json('PATCH', await apiPath(core, api), { ...options, json: change }),

  /** Replaces the credential and nothing else. */
  rotate: async (api: string, credential: Credential, options?: CallOptions): Promise<ApiView> =>
    core.json('PATCH', await apiPath(core, api), { ...options, json: credential }),

  async remove(api: string, options?: CallOptions): Promise<void> {
    await core.json('DELETE', await apiPath(core, api), options);
  },

  /** One call with the stored credential; the answer names the step that failed. */
  test: async (api: string, call: TestCallInput = {}, options?: CallOptions): Promise<TestResult> =>
    core.json('POST', `${await apiPath(core, api)}/test`, { ...options, json: call }),

  /** The same for a registration that is not saved. */
  tryUnsaved: async (
    api: Partial<RegisterApiInput>,
    call: TestCallInput = {},
    options?: CallOptions,
  ): Promise<TestResult> =>
    core.json('POST', `${await apisPath(core)}/test`, { ...options, json: { api, ...call } }),
});

/** App tokens: what an app calls with instead of a machine key. */
export const tokensOf = (core: Core) => ({
  async list(api: string, options?: CallOptions): Promise<AppToken[]> {
    const pages = await core.pages<{ tokens: AppToken[] }>(await tokensPath(core, api), options);
    return pages.flatMap(({ tokens }) => tokens);
  },

  /** The answer is the only one that shows the token. */
  mint: async (api: string, wanted: MintToken = {}, options?: CallOptions): Promise<MintedToken> =>
    core.json('POST', await tokensPath(core, api), { ...options, json: wanted }),

  async revoke(api: string, id: string, options?: CallOptions): Promise<void> {
    await core.json('DELETE', (await tokensPath(core, api)) + path`/${id}`, options);
  },
});

const apisPath = async (core: Core) => path`/api/zeq/apis/${await core.slug()}`;
export const apiPath = async (core: Core, api: string) => (await apisPath(core)) + path`/${api}`;
const tokensPath = async (core: Core, api: string) => `${await apiPath(core, api)}/tokens`;
