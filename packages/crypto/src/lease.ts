import { createSecretKey, generateKeyPairSync, hkdfSync, type KeyObject } from 'node:crypto';
import { lengthPrefixed, wipe } from './bytes.ts';
import { freshIv, GCM_IV_BYTES, GCM_KEY_BYTES, GCM_TAG_BYTES, GcmError, gcmOpen, gcmSeal } from './gcm.ts';
import { agree, parsePublicKey, publicKeyText } from './x25519.ts';

const LABEL = 'zeq-mesh/lease/v1';
const NO_SALT = new Uint8Array(0);

/** A credential sealed to one forwarder process; the three parts are base64url without padding. */
export interface SealedLease {
  /** A fresh X25519 public key, 32 bytes. */
  ephemeral: string;
  /** 12 bytes. */
  iv: string;
  /** ciphertext ‖ tag(16). */
  ciphertext: string;
}

/** A lease that does not open. The text is always the same. */
export class LeaseError extends Error {
  override name = 'LeaseError';
  constructor() {
    super('The lease cannot be opened.');
  }
}

/**
 * Seals a credential to a recipient's public key: an ephemeral X25519 agreement, HKDF-SHA256 over the whole transcript, AES-256-GCM.
 * A fresh key pair per lease gives a fresh key, so nobody who learns one lease's key can open another.
 *
 * @param recipientPublic The recipient's `publicKey`, 43 characters of base64url.
 * @param aad What the lease is for (machine, API, origin); `accept` needs the same bytes.
 * @throws RangeError for a public key that is malformed or of low order.
 */
export function sealLease(plaintext: Uint8Array, recipientPublic: string, aad: Uint8Array): SealedLease {
  const recipient = parsePublicKey(recipientPublic);
  const pair = generateKeyPairSync('x25519');
  const ephemeral = publicKeyText(pair.publicKey);
  const key = leaseKey(pair.privateKey, recipient, ephemeral, recipientPublic);
  const iv = freshIv();
  const body = gcmSeal(key, iv, aad, plaintext);
  return { ephemeral, iv: iv.toString('base64url'), ciphertext: body.toString('base64url') };
}

/** One process's key pair. It is made at the start, is never written anywhere and ends with the process. */
export class LeaseRecipient {
  readonly publicKey: string;
  readonly #privateKey: KeyObject;

  constructor() {
    const pair = generateKeyPairSync('x25519');
    this.#privateKey = pair.privateKey;
    this.publicKey = publicKeyText(pair.publicKey);
  }

  /**
   * Agrees on the lease's key and checks once that it opens. The plaintext is not kept.
   *
   * @throws LeaseError if the lease is damaged, sealed to somebody else or for something else.
   */
  accept(sealed: SealedLease, aad: Uint8Array): OpenedLease {
    const iv = Buffer.from(sealed.iv, 'base64url');
    const body = Buffer.from(sealed.ciphertext, 'base64url');
    if (iv.length !== GCM_IV_BYTES || body.length < GCM_TAG_BYTES) throw new LeaseError();
    const lease = new OpenedLease(this.#agree(sealed.ephemeral), iv, body, aad);
    wipe(lease.open());
    return lease;
  }

  #agree(ephemeral: string): KeyObject {
    try {
      return leaseKey(this.#privateKey, parsePublicKey(ephemeral), ephemeral, this.publicKey);
    } catch (err) {
      if (err instanceof RangeError) throw new LeaseError();
      throw err;
    }
  }
}

/** A credential that is still sealed in memory: each call opens it for itself and wipes what it got. */
export class OpenedLease {
  readonly #key: KeyObject;
  readonly #iv: Buffer;
  readonly #body: Buffer;
  readonly #tag: Buffer;
  readonly #aad: Uint8Array;

  /** @param body ciphertext ‖ tag(16). */
  constructor(key: KeyObject, iv: Buffer, body: Buffer, aad: Uint8Array) {
    this.#key = key;
    this.#iv = iv;
    this.#body = body.subarray(0, body.length - GCM_TAG_BYTES);
    this.#tag = body.subarray(body.length - GCM_TAG_BYTES);
    this.#aad = aad;
  }

  /**
   * The credential, for this call; the caller wipes it. Costs one AES-GCM open with a KeyObject (about 3 µs).
   *
   * @throws LeaseError if the bytes were changed.
   */
  open(): Buffer {
    try {
      return gcmOpen(this.#key, this.#iv, this.#aad, this.#body, this.#tag);
    } catch (err) {
      throw err instanceof GcmError ? new LeaseError() : err;
    }
  }
}

/** Both public keys are in `info`, so the key belongs to this one exchange (RFC 7748, section 6.1, last paragraph). */
function leaseKey(own: KeyObject, other: KeyObject, ephemeral: string, recipient: string): KeyObject {
  const shared = agree(own, other);
  const info = lengthPrefixed(
    LABEL,
    Buffer.from(ephemeral, 'base64url'),
    Buffer.from(recipient, 'base64url'),
  );
  const okm = Buffer.from(hkdfSync('sha256', shared, NO_SALT, info, GCM_KEY_BYTES));
  const key = createSecretKey(okm);
  wipe(shared, okm);
  return key;
}
