import { homedir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../exit-codes.ts';
import { readPrivateJson, writePrivateJson } from './private-file.ts';

/** One sign-in. */
export interface Profile {
  url: string;
  key: string;
  slug: string;
  hite_secret?: string;
}

interface ProfileFile {
  version: 1;
  current: string;
  profiles: Record<string, Profile>;
}

const EMPTY: ProfileFile = { version: 1, current: 'default', profiles: {} };

/** `$XDG_CONFIG_HOME/zeq`, or `~/.config/zeq`. */
export const configFolder = (env: NodeJS.ProcessEnv): string =>
  join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'zeq');

/** The stored sign-ins: `credentials.json`, mode 0600. */
export class Profiles {
  readonly path: string;

  constructor(env: NodeJS.ProcessEnv) {
    this.path = join(configFolder(env), 'credentials.json');
  }

  /** @param name Without it the one signed in to last. */
  async find(name: string | undefined): Promise<{ name: string; profile: Profile | undefined }> {
    const { current, profiles } = await this.#read();
    const wanted = name ?? current;
    return { name: wanted, profile: Object.hasOwn(profiles, wanted) ? profiles[wanted] : undefined };
  }

  async names(): Promise<{ current: string; names: string[] }> {
    const { current, profiles } = await this.#read();
    return { current, names: Object.keys(profiles).sort() };
  }

  /** Stores a sign-in and makes it the present one. */
  async save(name: string, profile: Profile): Promise<void> {
    const { profiles } = await this.#read();
    await this.#write({ version: 1, current: name, profiles: { ...profiles, [name]: profile } });
  }

  /** @returns Whether there was one. */
  async remove(name: string): Promise<boolean> {
    const { current, profiles } = await this.#read();
    const { [name]: gone, ...kept } = profiles;
    if (gone === undefined) return false;
    const next = current === name ? (Object.keys(kept)[0] ?? EMPTY.current) : current;
    await this.#write({ version: 1, current: next, profiles: kept });
    return true;
  }

  async #read(): Promise<ProfileFile> {
    const value = await readPrivateJson(this.path);
    if (value === undefined) return EMPTY;
    if (isProfileFile(value)) return value;
    throw new UsageError(`${this.path} is not a file of this version; remove it and sign in again`);
  }

  #write(file: ProfileFile): Promise<void> {
    return writePrivateJson(this.path, file);
  }
}

function isProfileFile(value: unknown): value is ProfileFile {
  const file = value as Partial<ProfileFile> | null;
  return (
    typeof file === 'object' &&
    file?.version === 1 &&
    typeof file.current === 'string' &&
    typeof file.profiles === 'object' &&
    Object.values(file.profiles).every(
      ({ url, key, slug }) => typeof url === 'string' && typeof key === 'string' && typeof slug === 'string',
    )
  );
}
