import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto';
import { assertLength } from './bytes.ts';

export const PLAT_BYTES = 32;
/** The previous PLAT of a first message or tick. */
export const NO_PLAT: Readonly<Buffer> = Buffer.alloc(PLAT_BYTES);

const LABEL = Buffer.from('zeq/plat/v1\0', 'latin1');
const DIGEST_BYTES = 32;
const MAX_NAME_BYTES = 255;

/** What a PLAT (phase-locked authentication tag) binds together. */
export interface PlatFields {
  /** 1 to 255 bytes of UTF-8. */
  channel: string;
  /** The sender, 1 to 255 bytes of UTF-8. */
  uid: string;
  zeqond: number;
  /** The sender's previous PLAT, 32 bytes; `NO_PLAT` for the first. */
  previous: Uint8Array;
  /** SHA-256 of the content, 32 bytes. */
  contentDigest: Uint8Array;
}

/**
 * PLAT = HMAC-SHA256(key, input), all 32 bytes (RFC 2104, FIPS 180-4). The input, integers big-endian and unsigned:
 *
 *     12  "zeq/plat/v1" 00
 *      2  length of channel      n  channel, UTF-8
 *      2  length of uid          m  uid, UTF-8
 *      8  zeqond
 *     32  previous PLAT, 32 zero bytes for the first
 *     32  SHA-256 of the content
 *
 * KO42 is not part of it: a public function of the time adds nothing, and floating point differs between machines.
 *
 * @param key A KeyObject: a raw key would cost six times as much per call.
 * @throws RangeError for a name, digest, PLAT or Zeqond that does not fit the layout.
 */
export function platOf(key: KeyObject, fields: PlatFields): Buffer {
  return createHmac('sha256', key).update(platInput(fields)).digest();
}

/** Compares in constant time. A PLAT of another length is wrong, not an error: it comes from outside. */
export function verifyPlat(key: KeyObject, fields: PlatFields, plat: Uint8Array): boolean {
  return plat.length === PLAT_BYTES && timingSafeEqual(platOf(key, fields), plat);
}

/** The bytes under the HMAC; see `platOf`. */
export function platInput({ channel, uid, zeqond, previous, contentDigest }: PlatFields): Buffer {
  assertLength(previous, PLAT_BYTES, 'previous PLAT');
  assertLength(contentDigest, DIGEST_BYTES, 'content digest');
  return Buffer.concat([
    LABEL,
    name(channel, 'channel'),
    name(uid, 'uid'),
    uint64(zeqond, 'zeqond'),
    previous,
    contentDigest,
  ]);
}

/**
 * A key for one job from a secret that was drawn at random: HKDF-SHA256 (RFC 5869), no salt, 32 bytes out. Not for passphrases.
 *
 * @param info The job, for example `zeq/sync/plat/v1`.
 */
export function keyFromSecret(secret: string | Uint8Array, info: string): KeyObject {
  const input = typeof secret === 'string' ? Buffer.from(secret, 'utf8') : secret;
  return createSecretKey(Buffer.from(hkdfSync('sha256', input, Buffer.alloc(0), info, 32)));
}

/** 8 bytes, big-endian. @throws RangeError unless it is a whole number from 0 to 2^53 - 1. */
export function uint64(value: number, what: string): Buffer {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`${what}: expected a whole number, 0 to 2^53 - 1`);
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function name(text: string, what: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length === 0 || bytes.length > MAX_NAME_BYTES) {
    throw new RangeError(`${what}: expected 1 to ${MAX_NAME_BYTES} bytes, got ${bytes.length}`);
  }
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
