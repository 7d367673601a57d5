import type { ApiView } from '@zeq/contracts';
import type { Command } from '../command.ts';
import { facts, table } from '../output.ts';

export const apis: readonly Command[] = [
  {
    name: 'apis list',
    summary: 'the registered APIs; never their credentials',
    async run({ client, show }) {
      const list = await (await client()).apis.list();
      const rows = list.map((api) => [
        api.name,
        api.base_url,
        api.auth_hint ?? api.auth_state,
        `${api.rate_limit_per_min}/min`,
        api.id,
      ]);
      await show(list, table(['name', 'base url', 'credential', 'limit', 'id'], rows));
    },
  },
  {
    name: 'apis show',
    args: '<api>',
    summary: 'one registered API; `api` is its name or id everywhere',
    async run({ args, client, show }) {
      const api = await (await client()).apis.get(args[0]!);
      await show(api, factsOf(api));
    },
  },
  {
    name: 'apis rm',
    args: '<api>',
    summary: 'remove an API with its credential and tokens',
    async run({ args, client, show }) {
      await (await client()).apis.remove(args[0]!);
      await show({ api: args[0], removed: true }, 'Removed.');
    },
  },
];

export const factsOf = (api: ApiView): string =>
  facts([
    ['name', api.name],
    ['id', api.id],
    ['provider', api.provider],
    ['base url', api.base_url],
    ['credential', `${api.auth_state}${api.auth_hint ? ` (${api.auth_hint})` : ''}`],
    ['limit', `${api.rate_limit_per_min}/min`],
    ...api.warnings.map((text) => ['warning', text] as const),
    ['updated', api.updated_at],
  ]);
