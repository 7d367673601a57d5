import { createSecretKey, hkdfSync, type KeyObject, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { assertLength, lengthPrefixed, wipe } from './bytes.ts';
import { freshIv, GCM_IV_BYTES, GCM_KEY_BYTES, GCM_TAG_BYTES, gcmOpen, gcmSeal } from './gcm.ts';
import { HiteError } from './hite-error.ts';
import {
  HITE_NONCE_BYTES,
  HITE_REQUEST,
  HITE_RESPONSE,
  HITE_ROUNDS,
  HITE_SALT_LABEL,
} from './hite-layout.ts';
import { keyFromSecret, uint64 } from './plat.ts';

/** A session lives for one hour from its handshake. */
export const HITE_SESSION_MS = 3_600_000;

const LABEL = Buffer.from(HITE_SALT_LABEL, 'latin1');
const STORE_LABEL = 'zeq/hite/store/v1';
const NO_SALT = new Uint8Array(0);
const derive = promisify(pbkdf2);

/** What both sides know after the handshake, beside the secret. */
export interface HiteHandshake {
  /** 32 hex digits, chosen by the server. */
  sessionId: string;
  /** 32 bytes from the client. */
  clientNonce: Uint8Array;
  /** 32 bytes from the server. */
  serverNonce: Uint8Array;
  /** Unix milliseconds. */
  expiresAtMs: number;
}

/** A session: one key per direction, so that no frame can be sent back to where it came from. */
export interface HiteSession {
  id: string;
  expiresAtMs: number;
  requestKey: KeyObject;
  responseKey: KeyObject;
}

/**
 * The server's half of a handshake: a fresh session id and nonce beside the client's nonce.
 *
 * @param clientNonce 64 hex digits.
 * @throws HiteError `hite_frame_refused` for another nonce.
 */
export function answerHandshake(clientNonce: string, nowMs: number): HiteHandshake {
  if (!/^[0-9a-f]{64}$/i.test(clientNonce)) throw new HiteError('hite_frame_refused');
  return {
    sessionId: randomBytes(16).toString('hex'),
    clientNonce: Buffer.from(clientNonce, 'hex'),
    serverNonce: randomBytes(HITE_NONCE_BYTES),
    expiresAtMs: nowMs + HITE_SESSION_MS,
  };
}

/**
 * The session's keys, the same on both sides:
 *
 *     root     = PBKDF2-SHA256(secret, salt = "zeq/hite/v1" 00 ‖ clientNonce(32) ‖ serverNonce(32), 100 000 rounds, 32 bytes)
 *     request  = HKDF-SHA256(root, no salt, info "zeq/hite/request/v1", 32 bytes)
 *     response = HKDF-SHA256(root, no salt, info "zeq/hite/response/v1", 32 bytes)
 *
 * PBKDF2 (RFC 8018) takes about 20 ms of CPU on a thread of the pool, never on the main thread.
 *
 * @param secret ZEQ_HITE_SECRET as it is written; its UTF-8 bytes are the password.
 * @throws RangeError for a nonce that is not 32 bytes.
 */
export async function deriveHiteSession(secret: string, handshake: HiteHandshake): Promise<HiteSession> {
  const { clientNonce, serverNonce, sessionId, expiresAtMs } = handshake;
  assertLength(clientNonce, HITE_NONCE_BYTES, 'client nonce');
  assertLength(serverNonce, HITE_NONCE_BYTES, 'server nonce');
  const salt = Buffer.concat([LABEL, clientNonce, serverNonce]);
  const root = await derive(Buffer.from(secret, 'utf8'), salt, HITE_ROUNDS, GCM_KEY_BYTES, 'sha256');
  const keyFor = (info: string) =>
    createSecretKey(Buffer.from(hkdfSync('sha256', root, NO_SALT, info, GCM_KEY_BYTES)));
  try {
    return {
      id: sessionId,
      expiresAtMs,
      requestKey: keyFor(HITE_REQUEST),
      responseKey: keyFor(HITE_RESPONSE),
    };
  } finally {
    wipe(root);
  }
}

/** The key under which gateways share sessions through a store: who reads the store learns no session key. */
export const hiteStoreKey = (secret: string): KeyObject => keyFromSecret(secret, STORE_LABEL);

/** A session as one text for the store: base64url of iv(12) ‖ ciphertext of expiry(8), request key(32), response key(32) ‖ tag(16). */
export function packHiteSession(storeKey: KeyObject, session: HiteSession): string {
  const expiry = uint64(session.expiresAtMs, 'expiry');
  const plaintext = Buffer.concat([expiry, session.requestKey.export(), session.responseKey.export()]);
  const iv = freshIv();
  const sealed = gcmSeal(storeKey, iv, storeAad(session.id), plaintext);
  wipe(plaintext);
  return Buffer.concat([iv, sealed]).toString('base64url');
}

/** @throws GcmError or RangeError for a text that another secret packed, that was changed, or that stands under another id. */
export function unpackHiteSession(storeKey: KeyObject, id: string, text: string): HiteSession {
  const bytes = Buffer.from(text, 'base64url');
  const end = Math.max(bytes.length - GCM_TAG_BYTES, GCM_IV_BYTES);
  const body = bytes.subarray(GCM_IV_BYTES, end);
  const opened = gcmOpen(storeKey, bytes.subarray(0, GCM_IV_BYTES), storeAad(id), body, bytes.subarray(end));
  const session = {
    id,
    expiresAtMs: Number(opened.readBigUInt64BE(0)),
    requestKey: createSecretKey(opened.subarray(8, 8 + GCM_KEY_BYTES)),
    responseKey: createSecretKey(opened.subarray(8 + GCM_KEY_BYTES)),
  };
  wipe(opened);
  return session;
}

const storeAad = (id: string): Buffer => lengthPrefixed(STORE_LABEL, id);
