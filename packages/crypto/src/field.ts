import { assertLength, lengthPrefixed } from './bytes.ts';
import { COMMITTED_OVERHEAD_BYTES, CommitmentError, openCommitted, sealCommitted } from './committed.ts';
import { freshIv, GCM_IV_BYTES, GcmError } from './gcm.ts';
import type { FieldKey, KeyRing, KeyScope } from './key-ring.ts';

export const FIELD_VERSION = 1;
export const FIELD_IV_BYTES = GCM_IV_BYTES;
export const FIELD_OVERHEAD_BYTES = COMMITTED_OVERHEAD_BYTES;
export const MAX_FIELD_BYTES = 16_384;
const DIGEST_BYTES = 32;

/** Where a field lives and what belongs to it. A ciphertext opens in this place and in no other. */
export interface FieldPlace {
  table: string;
  column: string;
  tenantId: string;
  /** The tenant's random 32 bytes. */
  tenantSalt: Uint8Array;
  rowId: string;
  /** Scheme, host and port of `base_url`: the only place where the credential may go. Empty for a field without one. */
  origin: string;
  /** SHA-256 over the canonical JSON of every other column of the row: who edits one of them makes the field unreadable. */
  rowDigest: Uint8Array;
}

/** The three columns of an encrypted field. */
export interface SealedField {
  /** 12 random bytes. */
  iv: Buffer;
  /** commitment(32) ‖ ciphertext ‖ tag(16). */
  ciphertext: Buffer;
  /** Names the master key: 16 hex digits. */
  kid: string;
}

/**
 * Encrypts one field with AES-256-GCM under a fresh random IV (NIST SP 800-38D, sections 7.1 and 8.2.2), with the ring's current
 * master key and the tenant's own derived key.
 *
 * @param plaintext At most 16,384 bytes; the caller wipes its own copy.
 * @throws RangeError for a field that is too long or a place whose salt or digest is not 32 bytes.
 */
export function encryptField(ring: KeyRing, place: FieldPlace, plaintext: string | Uint8Array): SealedField {
  const body = typeof plaintext === 'string' ? Buffer.from(plaintext, 'utf8') : plaintext;
  if (body.length > MAX_FIELD_BYTES) {
    throw new RangeError(`field: expected at most ${MAX_FIELD_BYTES} bytes, got ${body.length}`);
  }
  const kid = ring.currentKid;
  const key = ring.fieldKey(kid, scopeOf(place)) as FieldKey; // the ring always holds its current key
  const iv = freshIv();
  const ciphertext = sealCommitted(key, iv, fieldAad(place, kid), body);
  return { iv, ciphertext, kid };
}

/**
 * Opens one field. The commitment is compared in constant time before anything is decrypted, and nothing is released before the tag
 * has been checked. The caller wipes the answer.
 *
 * @throws FieldError for every failure alike: damaged, moved, edited, under another key or under an unknown one.
 * @throws RangeError for a place whose salt or digest is not 32 bytes: a mistake of ours, not of the row.
 */
export function decryptField(ring: KeyRing, place: FieldPlace, sealed: SealedField): Buffer {
  const scope = scopeOf(place);
  if (!isWellFormed(sealed)) throw new FieldError('format');
  const key = ring.fieldKey(sealed.kid, scope);
  if (key === undefined) throw new FieldError('unknown_key');
  try {
    return openCommitted(key, sealed.iv, fieldAad(place, sealed.kid), sealed.ciphertext);
  } catch (err) {
    if (!(err instanceof GcmError)) throw err;
    throw new FieldError(err instanceof CommitmentError ? 'commitment' : 'tag');
  }
}

/** What the tag covers beside the field itself: version, table, column, tenant, row, origin, the row's digest and the kid. */
export function fieldAad(place: FieldPlace, kid: string, version = FIELD_VERSION): Buffer {
  assertLength(place.rowDigest, DIGEST_BYTES, 'row digest');
  const { table, column, tenantId, rowId, origin, rowDigest } = place;
  return lengthPrefixed(
    'zeq-mesh/field',
    String(version),
    table,
    column,
    tenantId,
    rowId,
    origin,
    rowDigest,
    kid,
  );
}

/** A field that does not open. Its text is always the same; `reason` is for the log and is not enumerable. */
export class FieldError extends Error {
  override name = 'FieldError';
  declare readonly reason: 'format' | 'unknown_key' | 'commitment' | 'tag';

  constructor(reason: FieldError['reason']) {
    super('The field cannot be decrypted.');
    Object.defineProperty(this, 'reason', { value: reason, enumerable: false });
  }
}

const scopeOf = (place: FieldPlace): KeyScope => ({ ...place, version: FIELD_VERSION });

/** Lengths are checked before a cipher is made: bare GCM takes shorter tags and other IVs. */
function isWellFormed(sealed: SealedField): boolean {
  return (
    sealed.iv instanceof Uint8Array &&
    sealed.iv.length === FIELD_IV_BYTES &&
    sealed.ciphertext instanceof Uint8Array &&
    sealed.ciphertext.length >= FIELD_OVERHEAD_BYTES &&
    sealed.ciphertext.length <= FIELD_OVERHEAD_BYTES + MAX_FIELD_BYTES &&
    typeof sealed.kid === 'string' &&
    /^[0-9a-f]{16}$/.test(sealed.kid)
  );
}
