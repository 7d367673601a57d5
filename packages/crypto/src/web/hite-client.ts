import {
  type Bytes,
  bigEndian,
  concatBytes,
  lengthPrefixedBytes,
  readBigEndian,
  utf8Bytes,
  type WebKey,
} from '../encoding.ts';
import { HiteError } from '../hite-error.ts';
import {
  HITE_COUNTER_BYTES,
  HITE_FRAME_OVERHEAD,
  HITE_LENGTH_BYTES,
  HITE_MAX_COUNTER,
  HITE_MAX_FRAME_BYTES,
  HITE_REQUEST,
  HITE_RESPONSE,
  HITE_ROUNDS,
  HITE_SALT_LABEL,
  type HitePartKind,
  hitePartKind,
} from '../hite-layout.ts';
import { ByteReader, type ByteSource } from './byte-reader.ts';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** A client's session: what `deriveHiteSession` makes, with WebCrypto's keys. */
export interface HiteClientSession {
  id: string;
  requestKey: WebKey;
  responseKey: WebKey;
}

export interface HiteClientPart {
  kind: HitePartKind;
  payload: Bytes;
}

/** The client's half of a session, in Node and in browsers; see `deriveHiteSession` for the derivation. */
export async function deriveHiteClientSession(
  secret: string,
  handshake: { sessionId: string; clientNonce: Bytes; serverNonce: Bytes },
): Promise<HiteClientSession> {
  const salt = concatBytes(utf8Bytes(HITE_SALT_LABEL), handshake.clientNonce, handshake.serverNonce);
  const password = await crypto.subtle.importKey('raw', utf8Bytes(secret), 'PBKDF2', false, ['deriveBits']);
  const pbkdf2 = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: HITE_ROUNDS };
  const root = new Uint8Array(await crypto.subtle.deriveBits(pbkdf2, password, 256));
  const ikm = await crypto.subtle.importKey('raw', root, 'HKDF', false, ['deriveKey']);
  root.fill(0);
  return {
    id: handshake.sessionId,
    requestKey: await directionKey(ikm, HITE_REQUEST, 'encrypt'),
    responseKey: await directionKey(ikm, HITE_RESPONSE, 'decrypt'),
  };
}

/**
 * Seals an inner request as one frame; see `sealHiteRequest`.
 *
 * @param counter Never the same twice in a session; 0, 1, 2, …
 */
export async function sealHiteClientRequest(
  session: HiteClientSession,
  counter: number,
  plaintext: Bytes,
): Promise<Bytes> {
  if (counter > HITE_MAX_COUNTER) throw new RangeError('HITE counter: the session has sent 2^32 frames');
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const counterBytes = bigEndian(counter, HITE_COUNTER_BYTES);
  const additionalData = lengthPrefixedBytes(HITE_REQUEST, session.id, counterBytes);
  const gcm = { name: 'AES-GCM', iv, additionalData, tagLength: 8 * TAG_BYTES };
  const sealed = new Uint8Array(await crypto.subtle.encrypt(gcm, session.requestKey, plaintext));
  const end = sealed.length - TAG_BYTES;
  return concatBytes(counterBytes, iv, sealed.subarray(end), sealed.subarray(0, end));
}

/**
 * The parts of an answer as they arrive: its head, its data, its end.
 *
 * @throws HiteError `hite_frame_refused` for a frame that was changed, dropped, repeated, moved or taken from another answer;
 * `hite_truncated` if the answer breaks off.
 */
export async function* openHiteAnswer(
  session: HiteClientSession,
  requestCounter: number,
  source: ByteSource,
): AsyncGenerator<HiteClientPart, void, undefined> {
  const reader = new ByteReader(source);
  try {
    for (let index = 0, isEnd = false; !isEnd; index += 1) {
      const plaintext = await openFrame(session, requestCounter, index, await takeFrame(reader));
      const kind = hitePartKind(plaintext[0]);
      if (kind === undefined || (kind === 'head') !== (index === 0))
        throw new HiteError('hite_frame_refused');
      isEnd = kind === 'end';
      if (isEnd && !(await reader.atEnd())) throw new HiteError('hite_frame_refused');
      yield { kind, payload: plaintext.subarray(1) };
    }
  } finally {
    await reader.close();
  }
}

async function takeFrame(reader: ByteReader): Promise<Bytes> {
  const prefix = await reader.take(HITE_LENGTH_BYTES);
  if (prefix.length < HITE_LENGTH_BYTES) throw new HiteError('hite_truncated');
  const length = readBigEndian(prefix);
  if (length < HITE_FRAME_OVERHEAD || length > HITE_MAX_FRAME_BYTES)
    throw new HiteError('hite_frame_refused');
  const frame = await reader.take(length);
  if (frame.length < length) throw new HiteError('hite_truncated');
  return frame;
}

async function openFrame(
  session: HiteClientSession,
  requestCounter: number,
  index: number,
  frame: Bytes,
): Promise<Bytes> {
  const place = [bigEndian(requestCounter, HITE_COUNTER_BYTES), bigEndian(index, HITE_COUNTER_BYTES)];
  const iv = frame.subarray(HITE_COUNTER_BYTES, HITE_COUNTER_BYTES + IV_BYTES);
  const tag = frame.subarray(HITE_COUNTER_BYTES + IV_BYTES, HITE_FRAME_OVERHEAD);
  const additionalData = lengthPrefixedBytes(HITE_RESPONSE, session.id, ...place);
  const gcm = { name: 'AES-GCM', iv, additionalData, tagLength: 8 * TAG_BYTES };
  if (readBigEndian(frame.subarray(0, HITE_COUNTER_BYTES)) !== index)
    throw new HiteError('hite_frame_refused');
  try {
    const sealed = concatBytes(frame.subarray(HITE_FRAME_OVERHEAD), tag);
    return new Uint8Array(await crypto.subtle.decrypt(gcm, session.responseKey, sealed));
  } catch (err) {
    if ((err as Error).name !== 'OperationError') throw err;
    throw new HiteError('hite_frame_refused');
  }
}

function directionKey(ikm: WebKey, info: string, usage: 'encrypt' | 'decrypt'): Promise<WebKey> {
  const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: utf8Bytes(info) };
  return crypto.subtle.deriveKey(hkdf, ikm, { name: 'AES-GCM', length: 256 }, false, [usage]);
}
