import type { HITE_CONTENT_TYPE, HITE_SESSION_HEADER, HiteInnerHead } from '@zeq/contracts';
import {
  chunksOf,
  type HiteClientPart,
  type HiteClientSession,
  HiteError,
  openHiteAnswer,
  sealHiteClientRequest,
  utf8Bytes,
} from '@zeq/crypto/web';
import { base64Of } from '../client/base64.ts';
import { errorOf } from '../client/problem.ts';
import type { Body, MeshRequest, Transport } from '../client/transport.ts';
import { ZeqError } from '../client/zeq-error.ts';
import { HiteSessions, type MonotonicClock } from './hite-session.ts';

/** The compiler holds them against contracts, whose schemas a client need not load. */
const CONTENT_TYPE: typeof HITE_CONTENT_TYPE = 'application/x-zeq-hite';
const SESSION_HEADER: typeof HITE_SESSION_HEADER = 'x-hite-session';

/**
 * Sends every request inside the HITE channel. There is no way back to plaintext: what the channel refuses is an error. Answers
 * stream; a frame that was changed, moved or cut off ends the body with an error (`hite_frame_refused`, `hite_truncated`). A request
 * is one frame, so a streamed body is collected first.
 */
export function hiteTransport(
  secret: string,
  send: Transport,
  now: MonotonicClock = () => performance.now(),
): Transport {
  const sessions = new HiteSessions(secret, send, now);
  return async function sendInChannel(request) {
    const inner = await innerRequest(request);
    const first = await attempt(sessions, send, inner, request.signal);
    // An unknown session opened nothing, so nothing was done twice: a gateway that was started anew has forgotten it.
    return first ?? (await attempt(sessions, send, inner, request.signal)) ?? unknownTwice();
  };
}

/** @returns undefined when the mesh does not know the session. */
async function attempt(
  sessions: HiteSessions,
  send: Transport,
  inner: Uint8Array<ArrayBuffer>,
  signal: AbortSignal | undefined,
): Promise<Response | undefined> {
  const { session, counter } = await sessions.next(signal);
  const outer = await send({
    method: 'POST',
    path: '/api/hite/channel',
    headers: new Headers({ 'content-type': CONTENT_TYPE, [SESSION_HEADER]: session.id }),
    body: await sealHiteClientRequest(session, counter, inner),
    signal,
  });
  if (outer.headers.get('content-type') === CONTENT_TYPE && outer.body !== null)
    return openAnswer(session, counter, outer.body);
  const error = await errorOf(outer);
  if (error.code !== 'hite_session_unknown') throw error;
  await sessions.drop(session);
  return undefined;
}

async function innerRequest({ method, path, headers, body }: MeshRequest): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await bytesOf(body);
  const inner = {
    method,
    path,
    headers: Object.fromEntries(headers),
    ...(bytes.length > 0 && { body: base64Of(bytes) }),
  };
  return utf8Bytes(JSON.stringify(inner));
}

async function bytesOf(body: Body | undefined): Promise<Uint8Array> {
  if (body === undefined) return new Uint8Array(0);
  if (typeof body === 'string') return utf8Bytes(body);
  return body instanceof Uint8Array ? body : new Uint8Array(await new Response(body).arrayBuffer());
}

/** Bodies that `Response` does not allow for these statuses. */
const WITHOUT_BODY = [204, 205, 304];

/** The inner answer as an ordinary Response, whose body comes as its frames open. */
async function openAnswer(
  session: HiteClientSession,
  counter: number,
  body: ReadableStream<Uint8Array>,
): Promise<Response> {
  const parts = openHiteAnswer(session, counter, chunksOf(body));
  const head = await nextPart(parts);
  const { status, headers } = JSON.parse(new TextDecoder().decode(head?.payload)) as HiteInnerHead;
  if (!WITHOUT_BODY.includes(status)) return new Response(streamOf(parts), { status, headers });
  while ((await nextPart(parts)) !== undefined); // to its end: an answer that was cut off is none
  return new Response(null, { status, headers });
}

/** One part for each pull, so that a reader that waits holds the sender back. */
function streamOf(parts: AsyncGenerator<HiteClientPart, void, undefined>): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        const part = await nextPart(parts);
        if (part === undefined) controller.close();
        else controller.enqueue(part.payload);
      },
      async cancel() {
        await parts.return();
      },
    },
    { highWaterMark: 0 },
  );
}

/** @returns undefined at the authenticated end. @throws ZeqError for an answer that is not believed. */
async function nextPart(
  parts: AsyncGenerator<HiteClientPart, void, undefined>,
): Promise<HiteClientPart | undefined> {
  try {
    const { value } = await parts.next();
    if (value?.kind !== 'end') return value ?? undefined;
    await parts.return();
    return undefined;
  } catch (err) {
    if (!(err instanceof HiteError)) throw err;
    throw new ZeqError({ status: 0, code: err.code, detail: err.message });
  }
}

function unknownTwice(): never {
  const detail = 'The mesh does not know the session that it has just made.';
  throw new ZeqError({ status: 401, code: 'hite_session_unknown', detail });
}
