import { type AppCaller, type Caller, type OwnerCaller, SERVICE_TOKEN_HEADER } from '@zeq/contracts';
import { sha256Hex } from '@zeq/crypto';
import { ProblemError, type ServiceTokenVerifier } from '@zeq/service-kit';
import type { Request } from 'express';

/** Who a key or a session stands for. */
export type Found = { caller: OwnerCaller | AppCaller } | 'unknown' | 'expired';

export interface AuthenticateDeps {
  serviceTokens: ServiceTokenVerifier;
  /** @returns The id of the session's key. */
  session: (token: string) => string | 'expired' | undefined;
  /** Asks for a token by its SHA-256, or for a session's key by its id. @throws ProblemError `vault_unavailable`. */
  find: (question: { token_sha256: string } | { key_id: string }) => Promise<Found>;
}

export type Authenticate = (req: Request) => Promise<Caller>;

const ANONYMOUS: Caller = { kind: 'anonymous' };
const BEARER = /^Bearer ([\x21-\x7e]{1,2048})$/i;
const MESH_TOKEN = /^z(?:sm|at)_[0-9A-Za-z]{43}$/;

/**
 * Finds out who is calling: the caller that the gateway vouches for with a service token, or else, for who talks to this service
 * directly, the owner of the machine key or session in `Authorization`.
 *
 * @throws ProblemError `unauthorized` or `token_expired` for a credential that is presented and not good.
 */
export function buildAuthenticate({ serviceTokens, session, find }: AuthenticateDeps): Authenticate {
  const viaGateway = (token: string) => {
    const claims = serviceTokens.verify(token, ['gateway']);
    if (claims === undefined) throw refused();
    return claims.caller;
  };
  const direct = async (bearer: string): Promise<Caller> => {
    const question = questionOf(bearer, session);
    if (question === 'expired') throw expired();
    const found = question === undefined ? 'unknown' : await find(question);
    if (found === 'expired') throw expired();
    if (found === 'unknown') throw refused();
    return found.caller;
  };
  return async (req) => {
    const service = req.get(SERVICE_TOKEN_HEADER);
    if (service !== undefined) return viaGateway(service);
    const authorization = req.get('authorization');
    if (authorization === undefined) return ANONYMOUS;
    const bearer = BEARER.exec(authorization)?.[1];
    if (bearer === undefined) throw refused();
    return direct(bearer);
  };
}

function questionOf(bearer: string, session: AuthenticateDeps['session']) {
  if (MESH_TOKEN.test(bearer)) return { token_sha256: sha256Hex(bearer) };
  const key = session(bearer);
  return key === undefined || key === 'expired' ? key : { key_id: key };
}

/** Whether the gateway speaks: it has counted the request under its client's address already. */
export const comesFromGateway = (req: Request, serviceTokens: ServiceTokenVerifier): boolean =>
  serviceTokens.verify(req.get(SERVICE_TOKEN_HEADER), ['gateway']) !== undefined;

const refused = () => new ProblemError('unauthorized', 'The credential is missing or not valid.');
const expired = () => new ProblemError('token_expired', 'The token has expired.');
