import { ProblemError, type Sessions } from '@zeq/service-kit';
import type { RequestHandler } from 'express';
import type { LocalRoutes } from '../control-plane.ts';

/** `POST /api/zeq/session`: a machine key for a session of 15 minutes; a session for the next one, within 12 hours. */
export function sessionRoutes(sessions: Sessions): LocalRoutes {
  const grant: RequestHandler = function grantSession(req, res) {
    const caller = req.who?.caller;
    if (caller?.kind !== 'owner') throw new ProblemError('forbidden', 'Only a machine key has sessions.');
    const session = req.who?.session;
    if (session !== undefined && !sessions.isRenewable(session))
      throw new ProblemError(
        'token_expired',
        'The session is too old to be renewed; show the machine key again.',
      );
    const { token, expiresAt } = sessions.issue(caller.key_id, session?.authTime);
    res.json({
      token,
      token_type: 'Bearer',
      expires_at: expiresAt.toISOString(),
      machine: { slug: caller.slug },
    });
  };
  return { 'POST /api/zeq/session': grant };
}
