import { createPublicKey, diffieHellman, type KeyObject } from 'node:crypto';
import { wipe } from './bytes.ts';

/** A public key on the wire: 32 bytes as 43 characters of base64url without padding. */
const PUBLIC_KEY = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** The public half as base64url of its 32 bytes. */
export const publicKeyText = (key: KeyObject): string => String(key.export({ format: 'jwk' }).x);

/** @throws RangeError for anything that is not the canonical base64url of 32 bytes. */
export function parsePublicKey(text: string): KeyObject {
  if (!PUBLIC_KEY.test(text)) throw new RangeError('X25519 public key: expected 43 characters of base64url');
  return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'X25519', x: text } });
}

/**
 * X25519 (RFC 7748, section 6.1). The caller wipes the answer.
 *
 * @throws RangeError if the other side sent a point of low order: the shared secret would be zeros that everybody knows.
 */
export function agree(privateKey: KeyObject, publicKey: KeyObject): Buffer {
  const shared = diffieHellmanOrZeros(privateKey, publicKey);
  if (shared.every((byte) => byte === 0)) {
    wipe(shared);
    throw new RangeError('X25519: the shared secret is all zeros');
  }
  return shared;
}

/** OpenSSL refuses low-order points by itself; that is told like the zeros it stands for. */
function diffieHellmanOrZeros(privateKey: KeyObject, publicKey: KeyObject): Buffer {
  try {
    return diffieHellman({ privateKey, publicKey });
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code?.startsWith('ERR_OSSL')) return Buffer.alloc(32);
    throw err;
  }
}
