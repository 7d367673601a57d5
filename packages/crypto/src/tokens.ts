import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { assertLength } from './bytes.ts';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const TOKEN_BYTES = 32;
/** 62^43 > 2^256. */
const TOKEN_CHARS = 43;
const ID_CHARS = 22;
const SHOWN_CHARS = 8;
const DIGEST_BYTES = 32;

/** A token just made. `token` is shown to its owner once; only `sha256` is stored. */
export interface MintedToken {
  token: string;
  /** 64 hex digits. */
  sha256: string;
  /** The first 8 characters (`zsm_` and four more): enough for an owner to tell tokens apart. */
  prefix: string;
}

/** Makes a token: its kind and 256 random bits as 43 characters of base62. */
export function mintToken(kind: 'zsm_' | 'zat_'): MintedToken {
  const token = kind + base62(randomBytes(TOKEN_BYTES));
  return { token, sha256: sha256Hex(token), prefix: token.slice(0, SHOWN_CHARS) };
}

/** A row's id: kind and 22 characters of base62 (131 random bits), each drawn without bias. */
export function newId(kind: 'api' | 'mch' | 'key' | 'tok' | 'tsc'): string {
  let chars = '';
  while (chars.length < ID_CHARS) {
    for (const byte of randomBytes(ID_CHARS)) {
      if (byte < 4 * BASE62.length && chars.length < ID_CHARS) chars += BASE62[byte % BASE62.length];
    }
  }
  return `${kind}_${chars}`;
}

/** SHA-256 as 64 hex digits; `crypto.hash` costs a sixth of `createHash`. Text is hashed as UTF-8. */
export const sha256Hex = (data: string | Uint8Array): string => hash('sha256', data, 'hex');

/** SHA-256 as 32 bytes. */
export const sha256 = (data: string | Uint8Array): Buffer => hash('sha256', data, 'buffer');

/**
 * Compares two SHA-256 digests in constant time. Secrets are compared this way, never as they are: their lengths would show.
 *
 * @throws RangeError unless both are 32 bytes.
 */
export function equalDigests(a: Uint8Array, b: Uint8Array): boolean {
  assertLength(a, DIGEST_BYTES, 'digest');
  assertLength(b, DIGEST_BYTES, 'digest');
  return timingSafeEqual(a, b);
}

/** Big-endian bytes as a base62 number with leading zeros: one text for one value, so no bit is lost or favoured. */
function base62(bytes: Uint8Array): string {
  let rest = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  let text = '';
  for (let i = 0; i < TOKEN_CHARS; i += 1) {
    text = BASE62[Number(rest % 62n)] + text;
    rest /= 62n;
  }
  return text;
}
