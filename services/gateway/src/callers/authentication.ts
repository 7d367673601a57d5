import type { Audience, Caller, IdentifyRequest } from '@zeq/contracts';
import { sha256Hex } from '@zeq/crypto';
import {
  type Identities,
  type Identity,
  looksLikeSession,
  ProblemError,
  type Session,
  type Sessions,
} from '@zeq/service-kit';
import type { RequestHeaders } from '../request/request-headers.ts';
import type { PlatformKeys } from './platform-keys.ts';
import type { WrongTokens } from './wrong-tokens.ts';

/** A caller, and what goes with it. */
export interface Who {
  caller: Caller;
  /** Callers of one serial are equal: a service token signed for one serves the others. */
  serial: string;
  /** For the log. */
  label: string;
  identity?: Identity;
  /** Set when a session was presented instead of the key itself. */
  session?: Session;
}

export interface AuthenticationDeps {
  identities: Identities;
  sessions: Sessions;
  apiKeys: PlatformKeys;
  adminKeys: PlatformKeys;
  wrongTokens: WrongTokens;
}

const ANONYMOUS: Who = { caller: { kind: 'anonymous' }, serial: 'anonymous', label: 'anonymous' };
const PLATFORM: Who = { caller: { kind: 'platform' }, serial: 'platform', label: 'platform' };
const OPERATOR: Who = { caller: { kind: 'operator' }, serial: 'operator', label: 'operator' };

/** Every refusal reads the same, so that it says nothing about what was nearly right. */
export const UNAUTHORIZED = 'The credential is missing or not valid.';

interface Presented {
  key: string;
  request: IdentifyRequest;
  session?: Session;
}

/**
 * Finds out who is calling. Which credential counts is decided by the route's audience: a platform key opens nothing of a
 * machine, and a machine's token nothing of the platform, even when both are sent.
 */
export class Authentication {
  readonly #deps: AuthenticationDeps;

  constructor(deps: AuthenticationDeps) {
    this.#deps = deps;
  }

  /** The identity behind a request without asking anybody; undefined when `identify` has to find out. */
  known(headers: RequestHeaders): Identity | undefined {
    const key = headers.token === undefined ? this.#knownSession(headers) : sha256Hex(headers.token);
    const identity = key === undefined ? undefined : this.#deps.identities.cached(key);
    return identity === 'expired' ? undefined : identity;
  }

  /**
   * @returns The caller; anonymous when no credential was presented.
   * @throws ProblemError `unauthorized` or `token_expired` for a credential that is not good, `rate_limited` for too many
   * of them, `vault_unavailable` when nobody can say.
   */
  async identify(audience: Audience, headers: RequestHeaders, address: string): Promise<Who> {
    if (audience === 'public') return ANONYMOUS;
    if (audience === 'operator')
      return this.#byList(this.#deps.adminKeys, headers.adminKey, OPERATOR, address);
    if (audience === 'platform')
      return this.#byList(this.#deps.apiKeys, headers.apiKey ?? headers.bearer, PLATFORM, address);
    return this.#machine(headers, address);
  }

  /** Whether a header's value is a credential of the mesh although another one was used: it must not travel on. */
  isOurs(value: string): boolean {
    const bare = value.replace(/^bearer +/i, '');
    const { apiKeys, adminKeys, sessions } = this.#deps;
    return apiKeys.has(bare) || adminKeys.has(bare) || sessions.verify(bare) !== undefined;
  }

  async #byList(keys: PlatformKeys, value: string | undefined, who: Who, address: string): Promise<Who> {
    if (value === undefined) return ANONYMOUS;
    return keys.has(value) ? who : this.#wrong(address);
  }

  async #machine(headers: RequestHeaders, address: string): Promise<Who> {
    const presented = this.#presented(headers);
    if (presented === 'expired') throw expired();
    if (presented === undefined) return this.#platformOrNobody(headers, address);
    const { key, request, session } = presented;
    const { identities, wrongTokens } = this.#deps;
    const found =
      identities.cached(key) ?? (await wrongTokens.ask(address, () => identities.find(key, request)));
    if (found === 'expired') throw expired();
    if (found === 'unknown') return this.#wrong(address);
    const { caller, serial, who: label } = found;
    return { caller, serial, label, identity: found, ...(session !== undefined && { session }) };
  }

  #presented({ token, session: jwt }: RequestHeaders): Presented | 'expired' | undefined {
    if (token !== undefined) {
      const key = sha256Hex(token);
      return { key, request: { token_sha256: key } };
    }
    if (jwt === undefined || !looksLikeSession(jwt)) return undefined;
    const session = this.#deps.sessions.verify(jwt);
    if (session === undefined || session === 'expired') return session;
    return { key: session.keyId, request: { key_id: session.keyId }, session };
  }

  /** A platform key may also come as Bearer. It opens no machine, but it is no guess either. */
  async #platformOrNobody({ bearer, apiKey }: RequestHeaders, address: string): Promise<Who> {
    const value = bearer ?? apiKey;
    if (value === undefined) return ANONYMOUS;
    return this.#deps.apiKeys.has(value) ? PLATFORM : this.#wrong(address);
  }

  #knownSession({ session: jwt }: RequestHeaders): string | undefined {
    if (jwt === undefined || !looksLikeSession(jwt)) return undefined;
    const session = this.#deps.sessions.verify(jwt);
    return session === undefined || session === 'expired' ? undefined : session.keyId;
  }

  async #wrong(address: string): Promise<never> {
    await this.#deps.wrongTokens.note(address);
    throw new ProblemError('unauthorized', UNAUTHORIZED);
  }
}

const expired = () => new ProblemError('token_expired', 'The token has expired.');
