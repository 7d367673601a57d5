import { lengthPrefixedBytes } from './encoding.ts';

/** HRO00, the erasure operator: seven overwrites, ending in zeros. */
const HRO00_PASSES = [0x00, 0xff, 0x55, 0xaa, 0x92, 0x6d, 0x00] as const;

/**
 * Checks a byte string's length before it is used.
 *
 * @throws RangeError saying what was expected and what came; the bytes themselves are never in the message.
 */
export function assertLength(bytes: Uint8Array, expected: number, name: string): void {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`${name}: expected bytes`);
  if (bytes.length !== expected) {
    throw new RangeError(`${name}: expected ${expected} bytes, got ${bytes.length}`);
  }
}

/**
 * Overwrites secret bytes in place (HRO00). One pass is what protects; the seven are the published figure and cost well under a
 * microsecond for a credential. Strings cannot be wiped, which is why secrets travel as buffers here.
 */
export function wipe(...secrets: (Uint8Array | ArrayBuffer)[]): void {
  for (const secret of secrets) {
    const bytes = secret instanceof Uint8Array ? secret : new Uint8Array(secret);
    for (const pass of HRO00_PASSES) bytes.fill(pass);
  }
}

/**
 * An unambiguous encoding of a list: each part is its length (4 bytes, big-endian) and its bytes (text as UTF-8), so that no two
 * lists have one encoding. Used wherever several values are authenticated or hashed together.
 */
export const lengthPrefixed = (...parts: (string | Uint8Array)[]): Buffer =>
  Buffer.from(lengthPrefixedBytes(...parts).buffer);
