import { createClient } from '../../client/create-client.ts';
import { parseBase } from '../../client/transport.ts';
import type { Command, Context } from '../command.ts';
import { CommandError, UsageError } from '../exit-codes.ts';
import type { Profile } from '../settings/profiles.ts';
import { printable } from '../terminal/terminal.ts';

const DEFAULT_URL = 'http://127.0.0.1:4000';

export const login: Command = {
  name: 'login',
  summary: 'sign in to a mesh; the key is read from a hidden prompt or from stdin',
  details:
    'The key is tried before it is stored. Sign-ins are kept in $XDG_CONFIG_HOME/zeq/credentials.json, which only you can read.\nWith --hite a second line is asked for: the HITE secret of the mesh. An app token (zat_…) needs --slug.',
  examples: [
    'zeq login --url https://mesh.example',
    'zeq login --profile work --key-file key.txt',
    'jq -r .machine.api_key .zeq/dev.json | zeq login',
  ],
  async run(context) {
    const { settings, show } = context;
    const { name, profile: before } = await settings.profiles.find(settings.profileName);
    const url = settings.givenUrl ?? before?.url ?? parseBase(DEFAULT_URL);
    const question = { what: `Machine key for ${url}`, option: '--key-file', variable: 'ZEQ_KEY' };
    const key = (await settings.givenKey()) ?? (await settings.secrets.ask(question));
    const hite = settings.wantsHite
      ? await settings.secrets.ask({ what: 'HITE secret', variable: 'ZEQ_HITE_SECRET' })
      : undefined;
    const { slug, scope } = await tryKey(context, { url, key, hite });
    const profile: Profile = { url, key, slug, ...(hite !== undefined && { hite_secret: hite }) };
    await settings.profiles.save(name, profile);
    await show(
      { profile: name, url, slug, scope, hite: hite !== undefined, file: settings.profiles.path },
      `Signed in to ${url} as ${printable(slug)} (${scope}), kept as profile ${printable(name)} in ${settings.profiles.path}`,
    );
  },
};

export const logout: Command = {
  name: 'logout',
  summary: 'forget a sign-in; the key itself stays valid until it is revoked',
  async run({ settings, show }) {
    const { name } = await settings.profiles.find(settings.profileName);
    if (!(await settings.profiles.remove(name))) throw new CommandError(`there is no sign-in called ${name}`);
    await show({ profile: name, removed: true }, `Forgot the sign-in ${printable(name)}.`);
  },
};

interface Attempt {
  url: string;
  key: string;
  hite: string | undefined;
}

async function tryKey(
  { settings }: Context,
  { url, key, hite }: Attempt,
): Promise<{ slug: string; scope: string }> {
  const client = createClient({
    url,
    key,
    timeoutMs: settings.timeoutMs,
    hite: hite === undefined ? undefined : { secret: hite },
  });
  if (key.startsWith('zat_')) {
    const slug = settings.givenSlug;
    if (slug === undefined) throw new UsageError('an app token does not say its machine; add --slug');
    await client.health.show();
    return { slug, scope: 'app token, not tried' };
  }
  const { machine, scope } = await client.session.show();
  return { slug: machine.slug, scope };
}
