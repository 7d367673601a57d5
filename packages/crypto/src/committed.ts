import { timingSafeEqual } from 'node:crypto';
import { GCM_TAG_BYTES, GcmError, gcmOpen, gcmSeal } from './gcm.ts';
import type { FieldKey } from './key-ring.ts';

export const COMMITMENT_BYTES = 32;
/** What sealing adds to a plaintext's length: commitment and tag. */
export const COMMITTED_OVERHEAD_BYTES = COMMITMENT_BYTES + GCM_TAG_BYTES;

/**
 * AES-256-GCM that commits to its key. By itself GCM does not: one ciphertext can be made to open under two keys, with two
 * plaintexts. The commitment comes out of the same HKDF as the key, so no other key has it.
 *
 * @returns commitment(32) ‖ ciphertext ‖ tag(16).
 */
export function sealCommitted(own: FieldKey, iv: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Buffer {
  return Buffer.concat([own.commitment, gcmSeal(own.key, iv, aad, plaintext)]);
}

/**
 * Compares the commitment in constant time, then opens.
 *
 * @throws CommitmentError if the record was sealed under another key, or is too short to say.
 * @throws GcmError if it was changed, or sealed with other associated data.
 */
export function openCommitted(own: FieldKey, iv: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Buffer {
  if (sealed.length < COMMITTED_OVERHEAD_BYTES) throw new CommitmentError();
  const commitment = sealed.subarray(0, COMMITMENT_BYTES);
  if (!timingSafeEqual(commitment, own.commitment)) throw new CommitmentError();
  const end = sealed.length - GCM_TAG_BYTES;
  return gcmOpen(own.key, iv, aad, sealed.subarray(COMMITMENT_BYTES, end), sealed.subarray(end));
}

/** A record that belongs to another key. */
export class CommitmentError extends GcmError {
  override name = 'CommitmentError';
}
