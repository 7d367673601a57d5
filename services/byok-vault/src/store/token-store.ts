import type { Page, PageRequest } from './store.ts';

/** An app token as it is stored: the token itself is nowhere. */
export interface AppToken {
  id: string;
  machineId: string;
  name: string;
  prefix: string;
  /** 64 hex digits. */
  sha256: string;
  apiIds: string[];
  /** null: any. */
  allowedMethods: string[] | null;
  /** null: any. */
  allowedPathPrefixes: string[] | null;
  rateLimitPerMin: number | null;
  createdAt: Date;
  expiresAt: Date | null;
}

export type IdentifiedToken = AppToken & { slug: string };

export interface TokenStore {
  /** @throws ProblemError `not_found` when the machine or one of the APIs is gone. */
  insert(token: AppToken): Promise<void>;
  /** The tokens that cover this API. */
  list(machineId: string, apiId: string, page: PageRequest): Promise<Page<AppToken>>;
  /** @returns Whether there was such a token that covers this API. */
  remove(machineId: string, apiId: string, id: string): Promise<boolean>;
  findByHash(sha256: string): Promise<IdentifiedToken | undefined>;
  /** Removes the tokens of a machine that cover no API any more. @returns Their ids. */
  removeUseless(machineId: string): Promise<string[]>;
}
