import {
  type Bytes,
  bigEndian,
  concatBytes,
  lengthPrefixedBytes,
  utf8Bytes,
  type WebKey,
} from '../encoding.ts';
import { sha256OnWeb } from './sha256.ts';

const ROUNDS = 100_000;
const MIN_SECRET_CHARS = 32;
const MAX_MESSAGE_BYTES = 16_384;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const PLAT_LABEL = utf8Bytes('zeq/plat/v1\0');
const MESSAGE_LABEL = 'zeq/tesc/message/v1';
const UID_ALPHABET = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';

/** The two keys of a channel secret as WebCrypto holds them; see `tescKeys`. */
export interface TescClientKeys {
  /** HMAC-SHA256. */
  plat: WebKey;
  /** AES-256-GCM. */
  content: WebKey;
}

/** Where a message stands; see `MessagePlace`. */
export interface TescPlace {
  channel: string;
  uid: string;
  zeqond: number;
  /** The sender's previous PLAT in this channel, 32 bytes; 32 zero bytes for a join. */
  previous: Bytes;
}

export interface TescSealed {
  /** 12 random bytes. */
  iv: Bytes;
  /** ciphertext ‖ tag (16). */
  ciphertext: Bytes;
}

/** A message that does not open, whatever the reason. */
export class TescClientError extends Error {
  override name = 'TescClientError';

  constructor() {
    super('The message cannot be opened: it was changed, moved, or sealed under another secret.');
  }
}

/**
 * The keys of a channel on WebCrypto; the derivation is that of `tescKeys`.
 *
 * @param secret 32 characters or more.
 * @throws RangeError for a shorter secret; it is not in the message.
 */
export async function deriveTescClientKeys(secret: string, channel: string): Promise<TescClientKeys> {
  if ([...secret].length < MIN_SECRET_CHARS)
    throw new RangeError(`channel secret: expected at least ${MIN_SECRET_CHARS} characters`);
  const password = await crypto.subtle.importKey('raw', utf8Bytes(secret), 'PBKDF2', false, ['deriveBits']);
  const salt = lengthPrefixedBytes('zeq/tesc/v1', channel);
  const pbkdf2 = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: ROUNDS };
  const root = new Uint8Array(await crypto.subtle.deriveBits(pbkdf2, password, 256));
  const ikm = await crypto.subtle.importKey('raw', root, 'HKDF', false, ['deriveKey']);
  root.fill(0);
  const hmac = { name: 'HMAC', hash: 'SHA-256', length: 256 };
  const gcm = { name: 'AES-GCM', length: 256 };
  return {
    plat: await crypto.subtle.deriveKey(hkdf('zeq/tesc/plat/v1'), ikm, hmac, false, ['sign', 'verify']),
    content: await crypto.subtle.deriveKey(hkdf('zeq/tesc/content/v1'), ikm, gcm, false, [
      'encrypt',
      'decrypt',
    ]),
  };
}

/** Encrypts a message under a fresh random IV; its place is the associated data. @throws RangeError over 16,384 bytes. */
export async function sealTescMessage(
  keys: TescClientKeys,
  place: TescPlace,
  plaintext: Bytes,
): Promise<TescSealed> {
  if (plaintext.length > MAX_MESSAGE_BYTES)
    throw new RangeError(`message: expected at most ${MAX_MESSAGE_BYTES} bytes, got ${plaintext.length}`);
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const sealed = await crypto.subtle.encrypt(gcmOf(place, iv), keys.content, plaintext);
  return { iv, ciphertext: new Uint8Array(sealed) };
}

/** @throws TescClientError, the same for every reason. */
export async function openTescMessage(
  keys: TescClientKeys,
  place: TescPlace,
  { iv, ciphertext }: TescSealed,
): Promise<Bytes> {
  if (iv.length !== IV_BYTES || ciphertext.length < TAG_BYTES) throw new TescClientError();
  try {
    return new Uint8Array(await crypto.subtle.decrypt(gcmOf(place, iv), keys.content, ciphertext));
  } catch (err) {
    if ((err as Error).name !== 'OperationError') throw err;
    throw new TescClientError();
  }
}

/** The PLAT of a message: over iv(12) ‖ ciphertext ‖ tag(16), 32 bytes. */
export async function tescMessagePlat(
  keys: TescClientKeys,
  place: TescPlace,
  sealed: TescSealed,
): Promise<Bytes> {
  return platOnWeb(keys.plat, place, concatBytes(sealed.iv, sealed.ciphertext));
}

/** Whether a message's PLAT was made with the secret; compared by WebCrypto, in constant time. */
export async function verifyTescMessage(
  keys: TescClientKeys,
  place: TescPlace,
  sealed: TescSealed,
  plat: Bytes,
): Promise<boolean> {
  const input = platInput(place, await sha256OnWeb(concatBytes(sealed.iv, sealed.ciphertext)));
  return crypto.subtle.verify('HMAC', keys.plat, plat, input);
}

/** The PLAT that joins a channel: over the text "join", after 32 zero bytes. */
export const tescJoinPlat = (keys: TescClientKeys, place: Omit<TescPlace, 'previous'>): Promise<Bytes> =>
  platOnWeb(keys.plat, { ...place, previous: new Uint8Array(32) }, utf8Bytes('join'));

/** A sender's id, `TESC-XXXX-XXXX-XXXX`: 60 random bits. The alphabet has 32 letters, so five bits of a byte choose without bias. */
export function newTescClientUid(): string {
  const letters = Array.from(
    crypto.getRandomValues(new Uint8Array(12)),
    (byte) => UID_ALPHABET[byte & 31] as string,
  );
  const group = (at: number) => letters.slice(at, at + 4).join('');
  return `TESC-${group(0)}-${group(4)}-${group(8)}`;
}

async function platOnWeb(key: WebKey, place: TescPlace, content: Bytes): Promise<Bytes> {
  const input = platInput(place, await sha256OnWeb(content));
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, input));
}

/** The bytes under the HMAC; the layout is that of `platOf`. */
function platInput({ channel, uid, zeqond, previous }: TescPlace, contentDigest: Bytes): Bytes {
  return concatBytes(PLAT_LABEL, name(channel), name(uid), bigEndian(zeqond, 8), previous, contentDigest);
}

function name(text: string): Bytes {
  const bytes = utf8Bytes(text);
  return concatBytes(bigEndian(bytes.length, 2), bytes);
}

const gcmOf = ({ channel, uid, zeqond, previous }: TescPlace, iv: Bytes) => ({
  name: 'AES-GCM',
  iv,
  additionalData: lengthPrefixedBytes(MESSAGE_LABEL, channel, uid, bigEndian(zeqond, 8), previous),
  tagLength: 8 * TAG_BYTES,
});

const hkdf = (info: string) => ({
  name: 'HKDF',
  hash: 'SHA-256',
  salt: new Uint8Array(0),
  info: utf8Bytes(info),
});
