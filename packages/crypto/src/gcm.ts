import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import { assertLength } from './bytes.ts';

const ALGORITHM = 'aes-256-gcm';
export const GCM_KEY_BYTES = 32;
export const GCM_IV_BYTES = 12;
export const GCM_TAG_BYTES = 16;
const PROFILE = { authTagLength: GCM_TAG_BYTES } as const;

/** A ciphertext that does not open. The text is always the same. */
export class GcmError extends Error {
  override name = 'GcmError';
  constructor() {
    super('The ciphertext does not authenticate.');
  }
}

/** A fresh IV: 12 random bytes (NIST SP 800-38D, section 8.2.2). A key is retired before 2^32 of them (section 8.3). */
export const freshIv = (): Buffer => randomBytes(GCM_IV_BYTES);

/**
 * AES-256-GCM encryption (NIST SP 800-38D, section 7.1) in the one profile used here: a key of 32 bytes, an IV of 12, a tag of 16.
 *
 * @param iv Never the same twice under one key.
 * @returns ciphertext ‖ tag(16).
 * @throws RangeError for a key or IV of another length.
 */
export function gcmSeal(key: KeyObject, iv: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Buffer {
  assertKey(key);
  assertLength(iv, GCM_IV_BYTES, 'iv');
  const cipher = createCipheriv(ALGORITHM, key, iv, PROFILE);
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/**
 * AES-256-GCM decryption (section 7.2) in the same profile. Lengths are checked before a cipher is made: Node by itself takes tags
 * cut to 4 bytes and IVs of any length.
 *
 * @returns The plaintext; the caller wipes it.
 * @throws GcmError if the tag does not match; nothing of the plaintext is released.
 * @throws RangeError for a key, IV or tag of another length.
 */
export function gcmOpen(
  key: KeyObject,
  iv: Uint8Array,
  aad: Uint8Array,
  ciphertext: Uint8Array,
  tag: Uint8Array,
): Buffer {
  assertKey(key);
  assertLength(iv, GCM_IV_BYTES, 'iv');
  assertLength(tag, GCM_TAG_BYTES, 'tag');
  const decipher = createDecipheriv(ALGORITHM, key, iv, PROFILE);
  decipher.setAAD(aad);
  decipher.setAuthTag(tag);
  const plaintext = decipher.update(ciphertext);
  try {
    decipher.final(); // GCM is a stream mode: `update` gave every byte, `final` only checks the tag
    return plaintext;
  } catch {
    plaintext.fill(0);
    throw new GcmError();
  }
}

function assertKey(key: KeyObject): void {
  if (key.type !== 'secret' || key.symmetricKeySize !== GCM_KEY_BYTES) {
    throw new RangeError(
      `key: expected ${GCM_KEY_BYTES} bytes, got ${key.symmetricKeySize ?? 'another kind'}`,
    );
  }
}
