import type { KeyObject } from 'node:crypto';
import { lengthPrefixed } from './bytes.ts';
import { freshIv, GCM_IV_BYTES, GCM_TAG_BYTES, GcmError, gcmOpen, gcmSeal } from './gcm.ts';
import { HiteError } from './hite-error.ts';
import {
  HITE_COUNTER_BYTES,
  HITE_FRAME_OVERHEAD,
  HITE_MAX_COUNTER,
  HITE_REQUEST,
  HITE_RESPONSE,
} from './hite-layout.ts';
import type { HiteSession } from './hite-session.ts';
import { uint64 } from './plat.ts';

export interface OpenedRequest {
  counter: number;
  /** The inner request; the caller wipes it. */
  plaintext: Buffer;
}

/**
 * A request as one frame: counter(8, big-endian) ‖ iv(12) ‖ tag(16) ‖ ciphertext. AES-256-GCM under the session's request key; the
 * associated data are length-prefixed ("zeq/hite/request/v1", session id, counter as 8 bytes).
 *
 * @param counter Never the same twice in a session; 0, 1, 2, …
 */
export function sealHiteRequest(session: HiteSession, counter: number, plaintext: Uint8Array): Buffer {
  return sealFrame(session.requestKey, counter, requestAad(session, counter), plaintext);
}

/**
 * Opens a request. Afterwards, and only then, its counter goes to the session's `ReplayWindow`.
 *
 * @throws HiteError `hite_session_unknown` for a session that is over, `hite_frame_refused` for every frame that is not whole, of this
 * session and of this direction.
 */
export function openHiteRequest(session: HiteSession, frame: Uint8Array, nowMs: number): OpenedRequest {
  if (nowMs >= session.expiresAtMs) throw new HiteError('hite_session_unknown');
  const counter = counterOf(frame);
  return { counter, plaintext: openFrame(session.requestKey, requestAad(session, counter), frame) };
}

/**
 * One frame of an answer, laid out like a request. Its counter is its place in the answer (0, 1, 2, …) and the associated data also
 * name the request's counter, so that frames of two answers cannot be exchanged.
 */
export function sealHiteResponse(
  session: HiteSession,
  requestCounter: number,
  index: number,
  plaintext: Uint8Array,
): Buffer {
  return sealFrame(session.responseKey, index, responseAad(session, requestCounter, index), plaintext);
}

/** @throws HiteError `hite_frame_refused` unless this is frame `index` of the answer to that request. */
export function openHiteResponse(
  session: HiteSession,
  requestCounter: number,
  index: number,
  frame: Uint8Array,
): Buffer {
  if (counterOf(frame) !== index) throw new HiteError('hite_frame_refused');
  return openFrame(session.responseKey, responseAad(session, requestCounter, index), frame);
}

const requestAad = (session: HiteSession, counter: number): Buffer =>
  lengthPrefixed(HITE_REQUEST, session.id, uint64(counter, 'counter'));

const responseAad = (session: HiteSession, requestCounter: number, index: number): Buffer =>
  lengthPrefixed(
    HITE_RESPONSE,
    session.id,
    uint64(requestCounter, 'request counter'),
    uint64(index, 'frame index'),
  );

function sealFrame(key: KeyObject, counter: number, aad: Uint8Array, plaintext: Uint8Array): Buffer {
  if (counter > HITE_MAX_COUNTER) throw new RangeError('HITE counter: the session has sent 2^32 frames');
  const iv = freshIv();
  const sealed = gcmSeal(key, iv, aad, plaintext);
  const end = sealed.length - GCM_TAG_BYTES;
  return Buffer.concat([uint64(counter, 'counter'), iv, sealed.subarray(end), sealed.subarray(0, end)]);
}

function openFrame(key: KeyObject, aad: Uint8Array, frame: Uint8Array): Buffer {
  const iv = frame.subarray(HITE_COUNTER_BYTES, HITE_COUNTER_BYTES + GCM_IV_BYTES);
  const tag = frame.subarray(HITE_COUNTER_BYTES + GCM_IV_BYTES, HITE_FRAME_OVERHEAD);
  try {
    return gcmOpen(key, iv, aad, frame.subarray(HITE_FRAME_OVERHEAD), tag);
  } catch (err) {
    throw err instanceof GcmError ? new HiteError('hite_frame_refused') : err;
  }
}

/** The counter a frame claims; nothing is believed until the tag has been checked. */
function counterOf(frame: Uint8Array): number {
  if (frame.length < HITE_FRAME_OVERHEAD) throw new HiteError('hite_frame_refused');
  const counter = new DataView(frame.buffer, frame.byteOffset).getBigUint64(0);
  if (counter > BigInt(HITE_MAX_COUNTER)) throw new HiteError('hite_frame_refused');
  return Number(counter);
}
