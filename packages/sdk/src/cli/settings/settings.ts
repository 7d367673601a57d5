import { createClient, type ZeqClient } from '../../client/create-client.ts';
import { parseBase } from '../../client/transport.ts';
import type { OptionValues } from '../command.ts';
import { UsageError } from '../exit-codes.ts';
import { Secrets } from '../terminal/secrets.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { Known } from './known.ts';
import { type Profile, Profiles } from './profiles.ts';

const SECONDS = { min: 0, max: 86_400 };

/** What a command needs to be. */
export interface Needs {
  /** Default: true. */
  key?: boolean;
  platform?: boolean;
  admin?: boolean;
}

/** Options, environment and stored sign-ins as one: an option wins over a variable, a variable over what is stored. */
export class Settings {
  readonly profiles: Profiles;
  readonly known: Known;
  readonly secrets: Secrets;
  readonly #options: OptionValues;
  readonly #env: NodeJS.ProcessEnv;

  constructor(terminal: Terminal, options: OptionValues) {
    this.profiles = new Profiles(terminal.env);
    this.known = new Known(terminal.env);
    this.secrets = new Secrets(terminal);
    this.#options = options;
    this.#env = terminal.env;
  }

  /** The name of the sign-in to use, where one is named. */
  get profileName(): string | undefined {
    return this.#options.text('profile') ?? (this.#env.ZEQ_PROFILE || undefined);
  }

  /** The address where one is named. */
  get givenUrl(): string | undefined {
    const url = this.#options.text('url') ?? (this.#env.ZEQ_URL || undefined);
    return url === undefined ? undefined : parseBase(url);
  }

  get givenSlug(): string | undefined {
    return this.#options.text('slug') ?? (this.#env.ZEQ_SLUG || undefined);
  }

  get timeoutMs(): number | undefined {
    const seconds = this.#options.whole('timeout', SECONDS);
    return seconds === undefined ? undefined : seconds * 1000;
  }

  get wantsHite(): boolean {
    return this.#options.flag('hite');
  }

  /** @throws UsageError when nothing names a mesh. */
  async url(): Promise<string> {
    const url = this.givenUrl ?? (await this.#profile())?.url;
    if (url !== undefined) return url;
    throw new UsageError('which mesh? Run `zeq login`, or set ZEQ_URL and ZEQ_KEY');
  }

  /** A client as whoever is signed in. @throws UsageError without a key that is needed */
  async client({ key: needsKey = true, platform, admin }: Needs = {}): Promise<ZeqClient> {
    const url = await this.url();
    const profile = await this.#profileOf(url);
    const key = (await this.givenKey()) ?? profile?.key;
    if (needsKey && key === undefined)
      throw new UsageError(`not signed in at ${url}; run \`zeq login\`, or set ZEQ_KEY_FILE`);
    return createClient({
      url,
      key,
      slug: this.givenSlug ?? (key === profile?.key ? profile?.slug : undefined),
      timeoutMs: this.timeoutMs,
      hite: this.wantsHite ? { secret: await this.#hiteSecret(profile) } : undefined,
      ...(platform && { platformKey: await this.#extraKey('platform key', 'ZEQ_PLATFORM_KEY') }),
      ...(admin && { adminKey: await this.#extraKey('admin key', 'ZEQ_ADMIN_KEY') }),
    });
  }

  givenKey(): Promise<string | undefined> {
    const file = this.#options.text('key-file');
    return this.secrets.given({ what: 'key', file, option: '--key-file', variable: 'ZEQ_KEY' });
  }

  async #hiteSecret(profile: Profile | undefined): Promise<string> {
    const question = { what: 'HITE secret', variable: 'ZEQ_HITE_SECRET' };
    return (await this.secrets.given(question)) ?? profile?.hite_secret ?? (await this.secrets.ask(question));
  }

  #extraKey(what: string, variable: string): Promise<string> {
    return this.secrets.ask({ what, variable });
  }

  /** A stored key goes to the mesh that it was stored for and to no other. */
  async #profileOf(url: string): Promise<Profile | undefined> {
    const profile = await this.#profile();
    return profile?.url === url ? profile : undefined;
  }

  async #profile(): Promise<Profile | undefined> {
    const { name, profile } = await this.profiles.find(this.profileName);
    if (profile === undefined && this.profileName !== undefined && this.givenUrl === undefined)
      throw new UsageError(`there is no sign-in called ${name}; make it: zeq login --profile ${name}`);
    return profile;
  }
}
