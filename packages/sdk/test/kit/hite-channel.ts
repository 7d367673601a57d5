import type { HiteInnerRequest } from '@zeq/contracts';
import {
  answerHandshake,
  deriveHiteSession,
  HiteResponseSealer,
  type HiteSession,
  openHiteRequest,
} from '@zeq/crypto';
import { problem } from './fake-mesh.ts';

const CONTENT_TYPE = 'application/x-zeq-hite';

interface Inner {
  counter: number;
  session: string;
  request: HiteInnerRequest;
}

export interface ChannelOptions {
  secret: string;
  expiresInMs?: number;
  /** Frames that are missing at the end of each answer. */
  cutFrames?: number;
}

/** The gateway's half of the channel, on the Node side of crypto. */
export function hiteChannel(options: ChannelOptions) {
  const sessions = new Map<string, HiteSession>();
  const seen: Inner[] = [];
  const paths: string[] = [];
  const answer: typeof fetch = async (input, init = {}) => {
    const { pathname } = new URL(String(input));
    paths.push(pathname);
    const body = Buffer.from(await new Response(init.body).arrayBuffer());
    if (pathname === '/api/hite/handshake') return handshake(JSON.parse(body.toString()).clientNonce);
    const id = new Headers(init.headers).get('x-hite-session')!;
    const session = sessions.get(id);
    if (session === undefined) return problem(401, 'hite_session_unknown', 'Unknown.');
    const { counter, plaintext } = openHiteRequest(session, body, Date.now());
    seen.push({ counter, session: id, request: JSON.parse(plaintext.toString()) });
    return sealed(session, counter, options.cutFrames ?? 0);
  };

  async function handshake(clientNonce: string): Promise<Response> {
    const made = answerHandshake(clientNonce, Date.now());
    const session = await deriveHiteSession(options.secret, made);
    sessions.set(made.sessionId, session);
    return Response.json({
      sessionId: made.sessionId,
      serverNonce: Buffer.from(made.serverNonce).toString('hex'),
      expiresAt: new Date(Date.now() + (options.expiresInMs ?? 3_600_000)).toISOString(),
    });
  }
  return { fetch: answer, seen, paths, forget: () => sessions.clear() };
}

function sealed(session: HiteSession, counter: number, cutFrames: number): Response {
  const sealer = new HiteResponseSealer(session, counter);
  const head = JSON.stringify({
    status: 201,
    headers: [
      ['content-type', 'text/plain'],
      ['x-a', '1'],
    ],
  });
  const frames = [
    sealer.head(Buffer.from(head)),
    ...['one ', 'two'].flatMap((text) => sealer.data(Buffer.from(text))),
    sealer.end(),
  ];
  const body = ReadableStream.from(
    frames.slice(0, frames.length - cutFrames).map((frame) => Uint8Array.from(frame)),
  );
  return new Response(body, { headers: { 'content-type': CONTENT_TYPE } });
}
