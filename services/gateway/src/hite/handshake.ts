import { type HiteHandshakeAnswer, HiteHandshakeRequest } from '@zeq/contracts';
import { answerHandshake, deriveHiteSession } from '@zeq/crypto';
import { parseInput, strictJson, type TimeSource } from '@zeq/service-kit';
import type { RequestHandler } from 'express';
import type { HiteSessions } from './sessions.ts';
import type { WorkQueue } from './work-queue.ts';

/** Two braces, one name and 64 digits, with room for blanks (bytes). */
const MAX_BODY_BYTES = 1024;

export interface HandshakeDeps {
  /** ZEQ_HITE_SECRET. */
  secret: string;
  sessions: HiteSessions;
  queue: WorkQueue;
  time: TimeSource;
}

/** `POST /api/hite/handshake`: the server's nonce beside the client's, and a session of one hour. */
export function handshakeRoute({ secret, sessions, queue, time }: HandshakeDeps): RequestHandler[] {
  const begin: RequestHandler = async function beginSession(req, res) {
    const { clientNonce } = parseInput(HiteHandshakeRequest, req.body);
    const answer = await queue.run(async () => {
      if (res.destroyed) return undefined; // it left while it waited
      const handshake = answerHandshake(clientNonce, time.wallMs());
      await sessions.add(await deriveHiteSession(secret, handshake));
      return handshake;
    });
    if (answer === undefined) return;
    const { sessionId, serverNonce, expiresAtMs } = answer;
    const body: HiteHandshakeAnswer = {
      sessionId,
      serverNonce: Buffer.from(serverNonce).toString('hex'),
      expiresAt: new Date(expiresAtMs).toISOString(),
    };
    res.json(body);
  };
  return [strictJson({ maxBytes: MAX_BODY_BYTES }), begin];
}
