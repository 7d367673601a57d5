import { createHash, type KeyObject, pbkdf2, randomInt } from 'node:crypto';
import { promisify } from 'node:util';
import { assertLength, lengthPrefixed, wipe } from './bytes.ts';
import { freshIv, GCM_IV_BYTES, GCM_TAG_BYTES, GcmError, gcmOpen, gcmSeal } from './gcm.ts';
import { keyFromSecret, type PlatFields, platOf, uint64 } from './plat.ts';

/** The largest message, in bytes of plaintext. */
export const MAX_TESC_BYTES = 16_384;
export const MIN_TESC_SECRET_CHARS = 32;
export const TESC_IV_BYTES = GCM_IV_BYTES;

const ROUNDS = 100_000;
const MESSAGE_LABEL = 'zeq/tesc/message/v1';

/** The two keys of a channel secret: each does one job. */
export interface TescKeys {
  plat: KeyObject;
  content: KeyObject;
}

/** Where a message stands: who says it, when, after what. */
export interface MessagePlace {
  channel: string;
  uid: string;
  zeqond: number;
  /** The sender's previous PLAT in this channel, 32 bytes. A join is the first. */
  previous: Uint8Array;
}

export interface SealedMessage {
  /** 12 random bytes. */
  iv: Buffer;
  /** ciphertext ‖ tag (16). */
  ciphertext: Buffer;
}

const derive = promisify(pbkdf2);

/**
 * The keys of a channel: PBKDF2-SHA256 (RFC 8018), 100,000 rounds, salt = length-prefixed ("zeq/tesc/v1", channel id), 32 bytes; then
 * HKDF-SHA256 without salt, info `zeq/tesc/plat/v1` and `zeq/tesc/content/v1`. Takes about 20 ms on a thread of the pool: keep the keys.
 *
 * @param secret 32 characters or more; the rounds are a help for one that a person made up, not a licence for a short one.
 * @throws RangeError for a shorter secret.
 */
export async function tescKeys(secret: string, channel: string): Promise<TescKeys> {
  if ([...secret].length < MIN_TESC_SECRET_CHARS) {
    throw new RangeError(`TESC secret: expected at least ${MIN_TESC_SECRET_CHARS} characters`);
  }
  const salt = lengthPrefixed('zeq/tesc/v1', channel);
  const root = await derive(Buffer.from(secret, 'utf8'), salt, ROUNDS, 32, 'sha256');
  try {
    return {
      plat: keyFromSecret(root, 'zeq/tesc/plat/v1'),
      content: keyFromSecret(root, 'zeq/tesc/content/v1'),
    };
  } finally {
    wipe(root);
  }
}

/** Encrypts a message with AES-256-GCM under a fresh random IV; its place is the associated data. @throws RangeError over 16,384 bytes. */
export function sealMessage(keys: TescKeys, place: MessagePlace, plaintext: Uint8Array): SealedMessage {
  if (plaintext.length > MAX_TESC_BYTES) {
    throw new RangeError(`TESC message: expected at most ${MAX_TESC_BYTES} bytes, got ${plaintext.length}`);
  }
  const iv = freshIv();
  return { iv, ciphertext: gcmSeal(keys.content, iv, messageAad(place), plaintext) };
}

/** @throws TescError, the same for every reason: damaged, moved to another place, or under another secret. */
export function openMessage(keys: TescKeys, place: MessagePlace, { iv, ciphertext }: SealedMessage): Buffer {
  if (iv.length !== TESC_IV_BYTES || ciphertext.length < GCM_TAG_BYTES) throw new TescError();
  const end = ciphertext.length - GCM_TAG_BYTES;
  try {
    return gcmOpen(
      keys.content,
      iv,
      messageAad(place),
      ciphertext.subarray(0, end),
      ciphertext.subarray(end),
    );
  } catch (err) {
    if (err instanceof GcmError) throw new TescError();
    throw err;
  }
}

/** The PLAT of a message: its content is iv(12) ‖ ciphertext ‖ tag(16), so whoever stores a message can check it without reading it. */
export function messagePlat(keys: TescKeys, place: MessagePlace, sealed: SealedMessage): Buffer {
  return platOf(keys.plat, messagePlatFields(place, sealed));
}

export function messagePlatFields(place: MessagePlace, { iv, ciphertext }: SealedMessage): PlatFields {
  return { ...place, contentDigest: createHash('sha256').update(iv).update(ciphertext).digest() };
}

/** A join is the first link of a sender's own chain: a PLAT over the text "join" after 32 zero bytes shows that it knows the secret. */
export function joinPlatFields(place: MessagePlace): PlatFields {
  assertLength(place.previous, 32, 'previous PLAT');
  return { ...place, contentDigest: createHash('sha256').update('join', 'utf8').digest() };
}

/** A sender's id: `TESC-XXXX-XXXX-XXXX`, 60 random bits in 32 letters and digits that are hard to confuse. */
export function newTescUid(): string {
  const group = () => Array.from({ length: 4 }, () => UID_ALPHABET[randomInt(UID_ALPHABET.length)]).join('');
  return `TESC-${group()}-${group()}-${group()}`;
}

/** A message that does not open. */
export class TescError extends Error {
  override name = 'TescError';

  constructor() {
    super('The message cannot be opened.');
  }
}

const UID_ALPHABET = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';

/** length-prefixed ("zeq/tesc/message/v1", channel, uid, zeqond as 8 bytes big-endian, previous PLAT); see `lengthPrefixed`. */
function messageAad({ channel, uid, zeqond, previous }: MessagePlace): Buffer {
  return lengthPrefixed(MESSAGE_LABEL, channel, uid, uint64(zeqond, 'zeqond'), previous);
}
