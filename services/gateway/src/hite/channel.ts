import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  HITE_CONTENT_TYPE,
  HITE_MAX_REQUEST_BYTES,
  HITE_SESSION_HEADER,
  HiteSessionId,
  PROBLEMS,
} from '@zeq/contracts';
import { HiteError, HiteResponseSealer, type HiteSession, openHiteRequest, wipe } from '@zeq/crypto';
import { type Logger, ProblemError, readBody, safeError, type TimeSource, toProblem } from '@zeq/service-kit';
import type { RequestHandler } from 'express';
import type { RateWindow } from '../limits/rate-window.ts';
import type { Call } from '../request/call.ts';
import type { FrameMemory } from './frame-memory.ts';
import { type InnerRequest, innerRequest } from './inner-request.ts';
import { InnerSocket } from './inner-socket.ts';
import { SealedAnswer } from './sealed-answer.ts';
import type { HiteSessions } from './sessions.ts';

export interface ChannelDeps {
  sessions: HiteSessions;
  memory: FrameMemory;
  /** Frames of an address that were refused; what a good frame holds is counted like any request. */
  refusedFrames: RateWindow;
  /** Hands a connection to the HTTP server, counted for an address. */
  connect: (socket: Duplex, address: string) => void;
  time: TimeSource;
  log: Logger;
}

interface Opened {
  session: HiteSession;
  counter: number;
  plaintext: Buffer;
}

/**
 * `POST /api/hite/channel`: opens a frame and lets the request in it run as if it had come by itself. Until the frame is believed a
 * refusal is a plain problem; afterwards everything is sealed.
 */
export function channelRoute(deps: ChannelDeps): RequestHandler {
  return async function carryRequest(req, res) {
    const { call } = req;
    if (call === undefined) throw new Error('a request without its call');
    refuseGuesser(deps.refusedFrames, call);
    const held = deps.memory.hold(call.address);
    try {
      const opened = await countRefusals(deps.refusedFrames, call, async () => {
        const session = await known(deps.sessions, sessionIdOf(req));
        if (call.headers.expect !== undefined) res.writeContinue();
        const frame = await readBody(req, HITE_MAX_REQUEST_BYTES, undefined, held.admit);
        return open(deps, session, frame);
      });
      if (res.destroyed) held.release();
      else answerSealed(res, call, opened, held.release, deps);
    } catch (err) {
      held.release();
      throw err;
    }
  };
}

function sessionIdOf({ headers }: IncomingMessage): string {
  if (headers['content-type'] !== HITE_CONTENT_TYPE || headers['content-encoding'] !== undefined)
    throw new ProblemError('unsupported_media_type', `Send one frame as ${HITE_CONTENT_TYPE}.`);
  const id = HiteSessionId.safeParse(headers[HITE_SESSION_HEADER]);
  if (!id.success) throw unknownSession();
  return id.data;
}

function refuseGuesser(refusedFrames: RateWindow, { address }: Call): void {
  if (refusedFrames.left(address) > 0) return;
  throw new ProblemError('rate_limited', 'Too many frames of this address were refused.', {
    retryAfter: refusedFrames.secondsToNext(address),
  });
}

/** What is wrong with a frame counts against its address; that we cannot serve it does not. */
async function countRefusals<T>(refusedFrames: RateWindow, call: Call, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (err) {
    if (PROBLEMS[toProblem(err).code].status < 500) refusedFrames.hit(call.address);
    throw err;
  }
}

async function known(sessions: HiteSessions, id: string): Promise<HiteSession> {
  const session = await sessions.find(id);
  if (session === undefined) throw unknownSession();
  return session;
}

/** The counter is taken after the frame has opened, so that a forged one moves no window. */
async function open({ sessions, time }: ChannelDeps, session: HiteSession, frame: Buffer): Promise<Opened> {
  const { counter, plaintext } = openOrRefuse(session, frame, time.wallMs());
  const taken = await sessions.take(session.id, counter);
  if (taken === 'accepted') return { session, counter, plaintext };
  wipe(plaintext);
  if (taken === 'unknown') throw unknownSession();
  throw new ProblemError(
    'hite_replayed',
    'The counter of this frame was taken before, or is too old to tell.',
  );
}

function openOrRefuse(
  session: HiteSession,
  frame: Buffer,
  nowMs: number,
): ReturnType<typeof openHiteRequest> {
  try {
    return openHiteRequest(session, frame, nowMs);
  } catch (err) {
    if (!(err instanceof HiteError)) throw err;
    if (err.code === 'hite_session_unknown') throw unknownSession();
    throw new ProblemError('hite_frame_refused', 'The frame does not open.');
  }
}

const unknownSession = () =>
  new ProblemError('hite_session_unknown', 'The session is unknown or over; begin another one.');

function answerSealed(
  res: ServerResponse,
  call: Call,
  { session, counter, plaintext }: Opened,
  begun: () => void,
  { connect, log }: ChannelDeps,
): void {
  const answer = new SealedAnswer({
    res,
    sealer: new HiteResponseSealer(session, counter),
    begun,
    broken: () => {
      call.outcome = 'broken';
    },
  });
  const request = readOrRefuse(plaintext, call, answer, log);
  if (request === undefined) return;
  const socket = new InnerSocket(request, answer);
  res.once('close', () => socket.destroy()); // a client that leaves ends the call
  connect(socket, call.address);
}

/** Whatever is wrong with what a good frame holds, nobody outside hears of it. */
function readOrRefuse(
  plaintext: Buffer,
  call: Call,
  answer: SealedAnswer,
  log: Logger,
): InnerRequest | undefined {
  try {
    return innerRequest(plaintext, { host: call.headers.host, requestId: call.id });
  } catch (err) {
    const { code, detail } = toProblem(err);
    if (code === 'internal') log.error({ err: safeError(err), request_id: call.id }, 'request failed');
    call.outcome = code;
    answer.refuse(code, detail, call.id);
    return undefined;
  } finally {
    wipe(plaintext);
  }
}
