import { join } from 'node:path';
import type { AuditHead } from '@zeq/contracts';
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
  /** The head of each mesh's audit log as it was last seen. */
  logs: Record<string, AuditHead>;
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
    const file = await this.#read();
    await this.#write({ ...file, clocks: replaced(file.clocks, url, clock) });
  }

  async keepMember(url: string, channel: string, member: TescMember): Promise<void> {
    const file = await this.#read();
    await this.#write({ ...file, members: replaced(file.members, `${url} ${channel}`, member) });
  }

  log = async (url: string): Promise<AuditHead | undefined> => (await this.#read()).logs[url];

  async keepLog(url: string, head: AuditHead | undefined): Promise<void> {
    const file = await this.#read();
    await this.#write({ ...file, logs: replaced(file.logs, url, head) });
  }

  async #read(): Promise<KnownFile> {
    const file = ((await readPrivateJson(this.#path)) ?? {}) as Partial<KnownFile>;
    return { clocks: {}, members: {}, logs: {}, ...file };
  }

  #write(file: KnownFile): Promise<void> {
    return writePrivateJson(this.#path, file);
  }
}

function replaced<T>(entries: Record<string, T>, key: string, value: T | undefined): Record<string, T> {
  const { [key]: _before, ...others } = entries;
  return value === undefined ? others : { ...others, [key]: value };
}
