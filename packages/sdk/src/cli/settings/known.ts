import { join } from 'node:path';
import type { TescMember } from '../../tesc/channel.ts';
import { readPrivateJson, writePrivateJson } from './private-file.ts';
import { configFolder } from './profiles.ts';

/** Whose signature a mesh's ticks carried when they were first seen. */
export interface KnownClock {
  public_key: string;
  uid: string;
}

interface KnownFile {
  clocks: Record<string, KnownClock>;
  /** By `URL channel`. */
  members: Record<string, TescMember>;
}

/** What this command remembers of meshes beside credentials: `known.json`. Nothing in it is a secret. */
export class Known {
  readonly #path: string;

  constructor(env: NodeJS.ProcessEnv) {
    this.#path = join(configFolder(env), 'known.json');
  }

  clock = async (url: string): Promise<KnownClock | undefined> => (await this.#read()).clocks[url];

  member = async (url: string, channel: string): Promise<TescMember | undefined> =>
    (await this.#read()).members[`${url} ${channel}`];

  async keepClock(url: string, clock: KnownClock | undefined): Promise<void> {
    const { clocks, members } = await this.#read();
    const { [url]: _before, ...others } = clocks;
    await this.#write({ clocks: clock ? { ...others, [url]: clock } : others, members });
  }

  async keepMember(url: string, channel: string, member: TescMember): Promise<void> {
    const { clocks, members } = await this.#read();
    await this.#write({ clocks, members: { ...members, [`${url} ${channel}`]: member } });
  }

  async #read(): Promise<KnownFile> {
    const { clocks = {}, members = {} } = ((await readPrivateJson(this.#path)) ?? {}) as Partial<KnownFile>;
    return { clocks, members };
  }

  #write(file: KnownFile): Promise<void> {
    return writePrivateJson(this.#path, file);
  }
}
