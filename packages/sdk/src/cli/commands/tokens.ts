import type { Command } from '../command.ts';
import { UsageError } from '../exit-codes.ts';
import { facts, table } from '../output.ts';

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

export const tokens: readonly Command[] = [
  {
    name: 'tokens list',
    args: '<api>',
    summary: 'the app tokens of an API, by their first characters',
    async run({ args, client, show }) {
      const list = await (await client()).tokens.list(args[0]!);
      const rows = list.map((token) => [
        token.id,
        token.name,
        token.prefix,
        token.allowed_methods?.join(',') ?? 'any',
        token.allowed_path_prefixes?.join(',') ?? 'any',
        token.expires_at ?? 'never',
      ]);
      await show(list, table(['id', 'name', 'token', 'methods', 'paths', 'expires'], rows));
    },
  },
  {
    name: 'tokens add',
    args: '<api>',
    summary: 'mint an app token; it is shown once',
    options: {
      name: { type: 'string', value: 'NAME', text: 'the app it is for' },
      'expires-in': { type: 'string', value: 'TIME', text: 'such as 90s, 15m, 12h or 30d' },
      method: { type: 'string', value: 'METHOD', multiple: true, text: 'a method it may use' },
      path: { type: 'string', value: 'PREFIX', multiple: true, text: 'a path it may call, by its beginning' },
      'rate-limit': { type: 'string', value: 'N', text: 'calls per minute of its own' },
    },
    examples: ['zeq tokens add openai --name my-app --method POST --path /v1/chat/ --expires-in 30d'],
    async run({ args, options, client, show }) {
      const [name, ends] = [options.text('name'), options.text('expires-in')];
      const [methods, paths] = [options.list('method'), options.list('path')];
      const rate_limit_per_min = options.whole('rate-limit', { min: 1, max: 1_000_000 });
      const minted = await (await client()).tokens.mint(args[0]!, {
        ...(name && { name }),
        ...(ends && { expires_in_seconds: parseSeconds(ends) }),
        ...(methods.length > 0 && { allowed_methods: [...methods] }),
        ...(paths.length > 0 && { allowed_path_prefixes: [...paths] }),
        ...(rate_limit_per_min !== undefined && { rate_limit_per_min }),
      });
      const { token, app_token } = minted;
      await show(
        minted,
        facts([
          ['id', app_token.id],
          ['expires', app_token.expires_at ?? 'never'],
          ['token', token],
        ]),
      );
    },
  },
  {
    name: 'tokens rm',
    args: '<api> <id>',
    summary: 'revoke an app token: new calls stop within a second, open streams within five',
    async run({ args, client, show }) {
      await (await client()).tokens.revoke(args[0]!, args[1]!);
      await show({ id: args[1], revoked: true }, 'Revoked.');
    },
  },
];

function parseSeconds(text: string): number {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (count === undefined)
    throw new UsageError('--expires-in must be a number with s, m, h or d, such as 30d');
  return Number(count) * SECONDS[unit as keyof typeof SECONDS];
}
