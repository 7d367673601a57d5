import { createSecretKey, hash, type KeyObject, randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import jwt from 'jsonwebtoken';
import { z } from 'zod';
import { EndedSessions } from './ended-sessions.ts';

const ISSUER = 'zeq-gateway';
const AUDIENCE = 'zeq-session';
const LIFE_SECONDS = 15 * 60;
/** A session may be exchanged for the next one for this long; then the key has to be shown again. */
const RENEWABLE_SECONDS = 12 * 60 * 60;
const SKEW_SECONDS = 30;
const SID_BYTES = 16;
const MAX_TOKEN_CHARS = 2048;
const MAX_REMEMBERED = 10_000;

const Claims = z.object({
  iss: z.literal(ISSUER),
  aud: z.literal(AUDIENCE),
  sub: z.string().regex(/^key_[0-9A-Za-z]{22}$/),
  iat: z.int(),
  exp: z.int(),
  /** When the key itself was shown (Unix seconds). */
  auth_time: z.int(),
  /** Renewals keep it, so that signing out ends every token of the session. */
  sid: z.string().regex(/^[\w-]{22}$/),
});

export interface Session {
  /** Of this session and all its renewals. */
  sid: string;
  keyId: string;
  /** Unix seconds. */
  authTime: number;
  /** Unix seconds by `sessionSeconds`, the allowed skew not counted. */
  expiresAt: number;
}

export interface IssuedSession {
  token: string;
  expiresAt: Date;
}

/** Time for sessions in Unix seconds: it never goes back, so a session does not live longer because a clock was set back. */
const BOOT = Date.now() - performance.now();
export const sessionSeconds = (): number => Math.max(Date.now(), BOOT + performance.now()) / 1000;

/** Issues and checks sessions: HS256 tokens of 15 minutes that name a machine key and live no longer than it does. */
export class Sessions {
  readonly #keys: readonly [KeyObject, ...KeyObject[]];
  readonly #seconds: () => number;
  readonly #ended: EndedSessions;
  readonly #verified = new Map<string, Session>();

  /** @param secret JWT_SECRET. @param previous JWT_SECRET_PREV, accepted while the secret is being changed. */
  constructor(
    secret: string,
    previous?: string,
    seconds: () => number = sessionSeconds,
    ended = new EndedSessions(),
  ) {
    const older = previous === undefined ? [] : [secretKey(previous)];
    this.#keys = [secretKey(secret), ...older];
    this.#seconds = seconds;
    this.#ended = ended;
  }

  /** @param renewed The session that goes on; without it the key itself was shown. */
  issue(keyId: string, renewed?: Session): IssuedSession {
    const iat = Math.floor(this.#seconds());
    const exp = iat + LIFE_SECONDS;
    const sid = renewed?.sid ?? randomBytes(SID_BYTES).toString('base64url');
    const auth_time = renewed?.authTime ?? iat;
    const claims = { iss: ISSUER, aud: AUDIENCE, sub: keyId, iat, exp, auth_time, sid };
    return {
      token: jwt.sign(claims, this.#keys[0], { algorithm: 'HS256' }),
      expiresAt: new Date(exp * 1000),
    };
  }

  /** Whether a session may still be exchanged for a new one. */
  isRenewable({ authTime }: Session): boolean {
    return this.#seconds() - authTime < RENEWABLE_SECONDS;
  }

  /** Signs out: no token of the session counts any more, those of its renewals included. */
  end({ sid }: Session): void {
    const now = this.#seconds();
    this.#ended.prune(now);
    this.#ended.end(sid, now + LIFE_SECONDS + SKEW_SECONDS);
  }

  /** @returns The session; `expired` for one that was ours and is over; undefined for anything else. */
  verify(token: string): Session | 'expired' | undefined {
    if (token.length > MAX_TOKEN_CHARS) return undefined;
    const found = this.#find(token);
    return typeof found === 'object' && this.#ended.has(found.sid) ? 'expired' : found;
  }

  #find(token: string): Session | 'expired' | undefined {
    const digest = hash('sha256', token, 'hex');
    const known = this.#verified.get(digest);
    if (known === undefined) return this.#check(token, digest);
    if (this.#seconds() < known.expiresAt + SKEW_SECONDS) return known;
    this.#verified.delete(digest);
    return 'expired';
  }

  #check(token: string, digest: string): Session | 'expired' | undefined {
    for (const key of this.#keys) {
      try {
        const claims = Claims.safeParse(this.#verifyWith(token, key));
        if (!claims.success || claims.data.iat > this.#seconds() + SKEW_SECONDS) return undefined;
        const { sub, auth_time, exp, sid } = claims.data;
        return this.#remember(digest, { sid, keyId: sub, authTime: auth_time, expiresAt: exp });
      } catch (err) {
        if (err instanceof jwt.TokenExpiredError) return 'expired';
        if (!isRefusal(err)) throw err;
      }
    }
    return undefined;
  }

  #verifyWith(token: string, key: KeyObject): unknown {
    return jwt.verify(token, key, {
      algorithms: ['HS256'],
      issuer: ISSUER,
      audience: AUDIENCE,
      clockTolerance: SKEW_SECONDS,
      clockTimestamp: Math.floor(this.#seconds()),
    });
  }

  #remember(digest: string, session: Session): Session {
    if (this.#verified.size >= MAX_REMEMBERED) this.#verified.clear();
    this.#verified.set(digest, session);
    return session;
  }
}

const secretKey = (secret: string): KeyObject => createSecretKey(Buffer.from(secret, 'utf8'));

/** What the library throws for a token that does not verify. A malformed payload makes it throw a SyntaxError. */
const isRefusal = (err: unknown): boolean =>
  err instanceof jwt.JsonWebTokenError || err instanceof SyntaxError;

/** Three base64url parts: worth the cost of a signature check. */
export const looksLikeSession = (text: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text);
