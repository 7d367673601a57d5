import { type Bytes, bigEndian, concatBytes, readBigEndian, utf8Bytes, type WebKey } from '../encoding.ts';
import { ZeqFileError } from './zeq-file-error.ts';

/** Fewer rounds are refused, in writing and in reading. */
export const MIN_ZEQ_FILE_ROUNDS = 100_000;
/** The recommendation of OWASP's Password Storage Cheat Sheet for PBKDF2-HMAC-SHA256. */
export const ZEQ_FILE_ROUNDS = 600_000;
/** More would let a file keep its reader busy for minutes. */
export const MAX_ZEQ_FILE_ROUNDS = 10_000_000;
export const MIN_PASSPHRASE_CHARS = 12;
export const ZEQ_FILE_SALT_BYTES = 32;

const MAGIC = 'ZEQ\x1a';
const VERSION = 1;
const PBKDF2_SHA256 = 1;
const MAX_METADATA_BYTES = 65_536;
/** magic(4) ‖ version(1) ‖ kdf(1) ‖ rounds(4) ‖ salt(32) ‖ length of the metadata(4) */
export const FIXED_HEADER_BYTES = 46;
export const HEADER_TAG_BYTES = 32;

const SALT_LABEL = 'zeq/file/v1\0';
const HEADER_INFO = 'zeq/file/header/v1';
const SEGMENT_INFO = 'zeq/file/segments/v1';

/** What stands in front of the segments. */
export interface ZeqFileHeader {
  rounds: number;
  /** 32 random bytes, so every file has keys of its own. */
  salt: Bytes;
  /** UTF-8 of canonical JSON, at most 65,536 bytes. Everybody can read it; nobody without the passphrase can change it. */
  metadata: Bytes;
}

export interface ZeqFileKeys {
  /** HMAC-SHA256 over the header. It commits to the passphrase as well, which GCM alone does not. */
  header: WebKey;
  /** AES-256-GCM over the segments. */
  segments: WebKey;
}

/**
 * The header's bytes: "ZEQ" 1A ‖ version 01 ‖ kdf 01 ‖ rounds(4) ‖ salt(32) ‖ length(4) ‖ metadata.
 *
 * @throws RangeError for rounds below 100,000 or a salt that is not 32 bytes.
 */
export function encodeHeader({ rounds, salt, metadata }: ZeqFileHeader): Bytes {
  if (!areRounds(rounds)) {
    throw new RangeError(`rounds: expected ${MIN_ZEQ_FILE_ROUNDS} to ${MAX_ZEQ_FILE_ROUNDS}, got ${rounds}`);
  }
  if (salt.length !== ZEQ_FILE_SALT_BYTES) {
    throw new RangeError(`salt: expected ${ZEQ_FILE_SALT_BYTES} bytes, got ${salt.length}`);
  }
  if (metadata.length > MAX_METADATA_BYTES) {
    throw new RangeError(`metadata: expected at most ${MAX_METADATA_BYTES} bytes, got ${metadata.length}`);
  }
  const start = concatBytes(utf8Bytes(MAGIC), Uint8Array.of(VERSION, PBKDF2_SHA256), bigEndian(rounds, 4));
  return concatBytes(start, salt, bigEndian(metadata.length, 4), metadata);
}

/**
 * Reads the first 46 bytes. The rounds are checked before a single one is computed.
 *
 * @throws ZeqFileError for another format or version, and for sizes outside the limits.
 */
export function parseFixedHeader(bytes: Uint8Array): { rounds: number; salt: Bytes; metadataBytes: number } {
  if (bytes.length < FIXED_HEADER_BYTES || String.fromCharCode(...bytes.subarray(0, 4)) !== MAGIC) {
    throw new ZeqFileError('not_a_zeq_file');
  }
  const rounds = readBigEndian(bytes.subarray(6, 10));
  const metadataBytes = readBigEndian(bytes.subarray(42, 46));
  const isSupported = bytes[4] === VERSION && bytes[5] === PBKDF2_SHA256;
  if (!isSupported || !areRounds(rounds) || metadataBytes > MAX_METADATA_BYTES) {
    throw new ZeqFileError('unsupported');
  }
  return { rounds, salt: concatBytes(bytes.subarray(10, 42)), metadataBytes };
}

/**
 * The file's two keys:
 *
 *     root     = PBKDF2-SHA256(passphrase, salt = "zeq/file/v1" 00 ‖ salt(32), rounds, 32 bytes)
 *     header   = HKDF-SHA256(root, no salt, info "zeq/file/header/v1", 32 bytes)
 *     segments = HKDF-SHA256(root, no salt, info "zeq/file/segments/v1", 32 bytes)
 *
 * @param passphrase 12 characters or more; its Unicode NFC form as UTF-8 is the password, so that one passphrase typed on two
 * machines is one password.
 * @throws RangeError for a shorter passphrase; the passphrase is not in the message.
 */
export async function deriveZeqFileKeys(
  passphrase: string,
  rounds: number,
  salt: Bytes,
): Promise<ZeqFileKeys> {
  const normal = passphrase.normalize('NFC');
  if ([...normal].length < MIN_PASSPHRASE_CHARS) {
    throw new RangeError(`passphrase: expected at least ${MIN_PASSPHRASE_CHARS} characters`);
  }
  const password = await crypto.subtle.importKey('raw', utf8Bytes(normal), 'PBKDF2', false, ['deriveBits']);
  const pbkdf2 = {
    name: 'PBKDF2',
    hash: 'SHA-256',
    salt: concatBytes(utf8Bytes(SALT_LABEL), salt),
    iterations: rounds,
  };
  const root = new Uint8Array(await crypto.subtle.deriveBits(pbkdf2, password, 256));
  const ikm = await crypto.subtle.importKey('raw', root, 'HKDF', false, ['deriveKey']);
  root.fill(0);
  const hmac = { name: 'HMAC', hash: 'SHA-256', length: 256 };
  return {
    header: await crypto.subtle.deriveKey(hkdf(HEADER_INFO), ikm, hmac, false, ['sign', 'verify']),
    segments: await crypto.subtle.deriveKey(
      hkdf(SEGMENT_INFO),
      ikm,
      { name: 'AES-GCM', length: 256 },
      false,
      ['encrypt', 'decrypt'],
    ),
  };
}

const hkdf = (info: string) => ({
  name: 'HKDF',
  hash: 'SHA-256',
  salt: new Uint8Array(0),
  info: utf8Bytes(info),
});

const areRounds = (rounds: number): boolean =>
  Number.isInteger(rounds) && rounds >= MIN_ZEQ_FILE_ROUNDS && rounds <= MAX_ZEQ_FILE_ROUNDS;
