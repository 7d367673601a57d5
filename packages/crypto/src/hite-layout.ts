/** Names and sizes of the HITE channel, without anything of Node: the server and clients in browsers share them. */

/** Rounds of PBKDF2: enough for a random secret, and `hiteSecretRefusal` lets no other in. */
export const HITE_ROUNDS = 100_000;
/** In front of both nonces in the salt of PBKDF2. */
export const HITE_SALT_LABEL = 'zeq/hite/v1\0';
/** The direction: HKDF's info, and the first part of the associated data. */
export const HITE_REQUEST = 'zeq/hite/request/v1';
export const HITE_RESPONSE = 'zeq/hite/response/v1';

export const HITE_NONCE_BYTES = 32;
export const HITE_COUNTER_BYTES = 8;
/** counter(8) ‖ iv(12) ‖ tag(16), in front of every ciphertext. */
export const HITE_FRAME_OVERHEAD = HITE_COUNTER_BYTES + 12 + 16;
/** Random IVs allow 2^32 frames under one key (NIST SP 800-38D, section 8.3); a counter beyond is refused. */
export const HITE_MAX_COUNTER = 2 ** 32 - 1;

/** In front of each frame of an answer: its length, big-endian. */
export const HITE_LENGTH_BYTES = 4;
/** The most data in one frame; a longer chunk becomes several. */
export const HITE_MAX_PART_BYTES = 1 << 20;
export const HITE_MAX_FRAME_BYTES = HITE_FRAME_OVERHEAD + 1 + HITE_MAX_PART_BYTES;

/** The first byte of an answer frame's plaintext: what the rest of it is. */
export const HITE_PART = { head: 1, data: 2, end: 3 } as const;
export type HitePartKind = keyof typeof HITE_PART;

/** What a first byte stands for; undefined for a byte that stands for nothing. */
export const hitePartKind = (byte: number | undefined): HitePartKind | undefined =>
  (Object.keys(HITE_PART) as HitePartKind[]).find((kind) => HITE_PART[kind] === byte);
