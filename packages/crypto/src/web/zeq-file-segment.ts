import { type Bytes, bigEndian, concatBytes, type WebKey } from '../encoding.ts';
import { ZeqFileError } from './zeq-file-error.ts';

/** Every segment but the last holds exactly so much of the content. */
export const SEGMENT_BYTES = 65_536;
export const SEGMENT_TAG_BYTES = 16;
const INDEX_BYTES = 11;

/**
 * One segment: AES-256-GCM, ciphertext ‖ tag(16). Its IV is its index (11 bytes, big-endian) and 01 for the last segment, 00 for
 * every other: the STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizár, 2015), so segments that were reordered, repeated, cut
 * off or added do not open. IVs need not be random: the key belongs to this file alone.
 *
 * @param headerTag The associated data, 32 bytes: it binds each segment to the header.
 */
export async function sealSegment(
  key: WebKey,
  headerTag: Bytes,
  index: number,
  isLast: boolean,
  content: Bytes,
): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.encrypt(parameters(headerTag, index, isLast), key, content));
}

/** @throws ZeqFileError `damaged_segment` unless this is segment `index` of this file, and its last one exactly if `isLast`. */
export async function openSegment(
  key: WebKey,
  headerTag: Bytes,
  index: number,
  isLast: boolean,
  sealed: Bytes,
): Promise<Bytes> {
  try {
    return new Uint8Array(await crypto.subtle.decrypt(parameters(headerTag, index, isLast), key, sealed));
  } catch (err) {
    if ((err as Error).name !== 'OperationError') throw err;
    throw new ZeqFileError('damaged_segment');
  }
}

const parameters = (headerTag: Bytes, index: number, isLast: boolean) => ({
  name: 'AES-GCM',
  iv: concatBytes(bigEndian(index, INDEX_BYTES), Uint8Array.of(isLast ? 1 : 0)),
  additionalData: headerTag,
  tagLength: 8 * SEGMENT_TAG_BYTES,
});
