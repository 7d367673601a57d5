import type { ServerResponse } from 'node:http';

const NAME = 'zeq_session';
/** Only the API ever sees it; scripts do not, and no request that another site begins carries it. */
const ATTRIBUTES = 'Path=/api; HttpOnly; SameSite=Strict';
const COOKIE = new RegExp(`(?:^|; *)${NAME}=([^;]*)`, 'g');

/** Every session in a Cookie header: two different ones would mean that somebody else planted one. */
export function sessionsInCookies(header: string): string[] {
  return header.includes(NAME) ? [...header.matchAll(COOKIE)].map((match) => match[1]!) : [];
}

/**
 * @param origin The request's Origin. Browsers always send it here, so it says whether the page was loaded over TLS, whatever
 * stands between; without it the cookie is `Secure`.
 */
export function setSessionCookie(
  res: ServerResponse,
  session: string,
  expiresAt: Date,
  origin: string | undefined,
): void {
  const secure = origin?.startsWith('http:') ? '' : '; Secure';
  res.setHeader(
    'Set-Cookie',
    `${NAME}=${session}; ${ATTRIBUTES}; Expires=${expiresAt.toUTCString()}${secure}`,
  );
}

export function clearSessionCookie(res: ServerResponse): void {
  res.setHeader('Set-Cookie', `${NAME}=; ${ATTRIBUTES}; Max-Age=0`);
}
