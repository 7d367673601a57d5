import { hash } from 'node:crypto';
import { notRandom } from './randomness.ts';

export const MASTER_KEY_BYTES = 32;

/** Why a master key is refused. The texts follow the variable's name in a start message and contain nothing of the value. */
export const MASTER_KEY_REFUSALS = {
  missing: 'is missing; make one: openssl rand -hex 32',
  not_hex: 'must be 32 bytes as 64 hex digits; make one: openssl rand -hex 32',
  too_short: 'is too short: it must be 32 bytes as 64 hex digits; make one: openssl rand -hex 32',
  too_long: 'is too long: it must be 32 bytes as 64 hex digits; make one: openssl rand -hex 32',
  repeated: 'repeats a pattern, so it was not drawn at random; make one: openssl rand -hex 32',
  sequential: 'counts up or down, so it was not drawn at random; make one: openssl rand -hex 32',
  text: 'is text written as hex, so it was not drawn at random; make one: openssl rand -hex 32',
  published: 'is a published sample or the hash of a common word; make one: openssl rand -hex 32',
} as const;
export type MasterKeyRefusal = keyof typeof MASTER_KEY_REFUSALS;

export type ParsedMasterKey =
  | { ok: true; key: Buffer }
  | { ok: false; refusal: MasterKeyRefusal; message: string };

/**
 * Reads a master key as `openssl rand -hex 32` writes it. A key that nobody drew at random is refused. The caller wipes `key` once a `KeyRing` holds it.
 */
export function parseMasterKey(hex: string | undefined): ParsedMasterKey {
  if (hex === undefined || hex.trim() === '') return refuse('missing');
  const digits = hex.trim().toLowerCase();
  if (!/^[0-9a-f]+$/.test(digits)) return refuse('not_hex');
  if (digits.length < 2 * MASTER_KEY_BYTES) return refuse('too_short');
  if (digits.length > 2 * MASTER_KEY_BYTES) return refuse('too_long');
  const key = Buffer.from(digits, 'hex');
  const pattern = notRandom(key);
  if (pattern !== undefined) return refuse(pattern);
  if (PUBLISHED.has(digits) || WORDS.some((word) => hash('sha256', word, 'hex') === digits))
    return refuse('published');
  return { ok: true, key };
}

const refuse = (refusal: MasterKeyRefusal): ParsedMasterKey => ({
  ok: false,
  refusal,
  message: MASTER_KEY_REFUSALS[refusal],
});

/** Keys that stand in documents everybody can read. */
const PUBLISHED: ReadonlySet<string> = new Set([
  '603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4', // NIST SP 800-38A, F.1.5
  'feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308309', // GCM specification, near its test case 13
  '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f', // RFC 8439, section 2.8.2
  '1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0', // RFC 8439, appendix A.5
  '0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b000102030405060708090a', // RFC 5869, test case 1, run together
  'f34be427ebb29de8d88c107a71546019685ed8b241d8f2ed00c3df97ad2566f0', // LibreChat's .env.example
  '16f8c0ef4a5d391b26034086c628469d3f9f497f08163ab9b40137092f2909ef', // LibreChat's .env.example
  'eaa5191f2914e30b9387fd84e254e4ba6fc51b4654968a9b0803b456a54b8418', // LibreChat's .env.example
]);

/** SHA-256 of one of these is how a word is made to look like a key. */
const WORDS = [
  '',
  '\n',
  'password',
  'secret',
  'test',
  'changeme',
  'change-me',
  'key',
  'zeq',
  'zeqmesh',
  'admin',
];
