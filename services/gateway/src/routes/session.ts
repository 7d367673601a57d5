import type { OwnerCaller, SessionInfo } from '@zeq/contracts';
import { type IssuedSession, ProblemError, type Sessions } from '@zeq/service-kit';
import type { Request, RequestHandler } from 'express';
import { clearSessionCookie, setSessionCookie } from '../callers/session-cookie.ts';
import type { LocalRoutes } from '../control/control-plane.ts';

/** A machine key for a session of 15 minutes, as a token or, for the page, as a cookie; a session for the next one, within 12 hours. */
export function sessionRoutes(sessions: Sessions): LocalRoutes {
  const grant: RequestHandler = function grantSession(req, res) {
    const caller = keyHolder(req);
    const { token, expiresAt } = issue(sessions, req, caller);
    res.json({
      token,
      token_type: 'Bearer',
      expires_at: expiresAt.toISOString(),
      machine: { slug: caller.slug },
    });
  };
  const grantCookie: RequestHandler = function grantSessionCookie(req, res) {
    const caller = keyHolder(req);
    const { token, expiresAt } = issue(sessions, req, caller);
    setSessionCookie(res, token, expiresAt, req.call?.headers.origin);
    res.json(infoOf(caller, expiresAt));
  };
  const show: RequestHandler = function showSession(req, res) {
    const expiresAt = req.who?.session?.expiresAt;
    res.json(infoOf(keyHolder(req), expiresAt === undefined ? undefined : new Date(expiresAt * 1000)));
  };
  const end: RequestHandler = function endSession(req, res) {
    const session = req.who?.session;
    if (session === undefined)
      throw new ProblemError(
        'invalid_header',
        'Present the session to end; a machine key is revoked instead.',
      );
    sessions.end(session);
    res.status(204).end();
  };
  const drop: RequestHandler = function dropSessionCookie(req, res) {
    const session = sessions.verify(req.call?.headers.session ?? '');
    if (typeof session === 'object') sessions.end(session);
    clearSessionCookie(res);
    res.status(204).end();
  };
  return {
    'POST /api/zeq/session': grant,
    'GET /api/zeq/session': show,
    'DELETE /api/zeq/session': end,
    'POST /api/zeq/session/cookie': grantCookie,
    'DELETE /api/zeq/session/cookie': drop,
  };
}

/** @throws ProblemError `forbidden` for everybody else. */
function keyHolder(req: Request): OwnerCaller {
  const caller = req.who?.caller;
  if (caller?.kind !== 'owner') throw new ProblemError('forbidden', 'Only a machine key has sessions.');
  return caller;
}

/** @throws ProblemError `token_expired` for a session that was renewed long enough. */
function issue(sessions: Sessions, req: Request, caller: OwnerCaller): IssuedSession {
  const session = req.who?.session;
  if (session !== undefined && !sessions.isRenewable(session))
    throw new ProblemError(
      'token_expired',
      'The session is too old to be renewed; show the machine key again.',
    );
  return sessions.issue(caller.key_id, session);
}

const infoOf = ({ slug, scope }: OwnerCaller, expiresAt: Date | undefined): SessionInfo => ({
  machine: { slug },
  scope,
  expires_at: expiresAt?.toISOString() ?? null,
});
