/** Byte encodings without anything of Node, for the modules that run in browsers too. */

/** Bytes in memory of their own, as WebCrypto wants them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** A WebCrypto key, whichever runtime's types are in force. */
export type WebKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

const utf8 = new TextEncoder();

export const utf8Bytes = (text: string): Bytes => utf8.encode(text) as Bytes;

export function concatBytes(...parts: Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * A whole number, big-endian and unsigned.
 *
 * @throws RangeError unless it is 0 to 2^53 - 1 and fits.
 */
export function bigEndian(value: number, length: number): Bytes {
  if (!Number.isSafeInteger(value) || value < 0 || value >= 256 ** length) {
    throw new RangeError(`expected a whole number of at most ${length} bytes`);
  }
  const bytes = new Uint8Array(length);
  for (let at = length - 1, rest = value; rest > 0; at -= 1, rest = Math.floor(rest / 256))
    bytes[at] = rest % 256;
  return bytes;
}

/** The number in big-endian bytes. Beyond 2^53 it is no longer exact, which is far beyond every limit here. */
export const readBigEndian = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => sum * 256 + byte, 0);

/** See `lengthPrefixed`: each part is its length (4 bytes, big-endian) and its bytes. */
export function lengthPrefixedBytes(...parts: (string | Uint8Array)[]): Bytes {
  const encoded = parts.map((part) => (typeof part === 'string' ? utf8Bytes(part) : part));
  return concatBytes(...encoded.flatMap((bytes) => [bigEndian(bytes.length, 4), bytes]));
}

/** The bytes of lower- or upper-case hex. @throws RangeError for anything else. */
export function bytesOfHex(text: string): Bytes {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text))
    throw new RangeError('expected hex digits, two for each byte');
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
