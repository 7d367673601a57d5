import { canonicalJson } from '../canonical.ts';
import { ko42Of, phaseOf, zeqondOf } from '../clock.ts';
import { type Bytes, concatBytes, utf8Bytes, type WebKey } from '../encoding.ts';
import { landauerCertificate } from '../landauer.ts';
import { ByteReader, type ByteSource } from './byte-reader.ts';
import { ZeqFileError } from './zeq-file-error.ts';
import {
  deriveZeqFileKeys,
  encodeHeader,
  FIXED_HEADER_BYTES,
  HEADER_TAG_BYTES,
  parseFixedHeader,
  ZEQ_FILE_ROUNDS,
  ZEQ_FILE_SALT_BYTES,
  type ZeqFileHeader,
} from './zeq-file-header.ts';
import { openSegment, SEGMENT_BYTES, SEGMENT_TAG_BYTES, sealSegment } from './zeq-file-segment.ts';

/** When the file was made and what counting through its keys would cost. A stamp, not a lock. */
export interface ZeqFileMetadata {
  clock: { unix_ms: number; zeqond: number; phase: number; ko42: number };
  landauer: { bits: number; energy_joules: string; suns_required: string; temperature_kelvin: number };
}

export interface OpenedZeqFile {
  metadata: ZeqFileMetadata;
  rounds: number;
  /**
   * The content, segment by segment, each authenticated before it comes. That nothing is missing is known only at the end: whoever
   * writes it to a file gives the file its name after the last segment.
   */
  content: AsyncGenerator<Bytes, void, undefined>;
}

/**
 * Encrypts a stream of any length into a .zeq file, in constant memory (two segments of 64 KiB). Runs in Node and in browsers; the
 * layout is written down in `docs/vectors/zeq-file.md`.
 *
 * @param passphrase 12 characters or more.
 * @param options.rounds PBKDF2 rounds, 600,000 unless stated, never below 100,000.
 * @throws RangeError for a passphrase or rounds below those limits, before anything is written.
 */
export async function* encryptZeqFile(
  source: ByteSource,
  passphrase: string,
  options: { nowMs: number; rounds?: number },
): AsyncGenerator<Bytes, void, undefined> {
  yield* writeZeqFile(source, passphrase, {
    rounds: options.rounds ?? ZEQ_FILE_ROUNDS,
    salt: crypto.getRandomValues(new Uint8Array(ZEQ_FILE_SALT_BYTES)),
    metadata: utf8Bytes(canonicalJson(zeqFileMetadata(options.nowMs))),
  });
}

/** The writing itself, with the header given. A salt is used for one file only. */
export async function* writeZeqFile(
  source: ByteSource,
  passphrase: string,
  header: ZeqFileHeader,
): AsyncGenerator<Bytes, void, undefined> {
  const head = encodeHeader(header);
  const keys = await deriveZeqFileKeys(passphrase, header.rounds, header.salt);
  const tag = new Uint8Array(await crypto.subtle.sign('HMAC', keys.header, head));
  yield concatBytes(head, tag);
  const reader = new ByteReader(source);
  try {
    for (let index = 0, isLast = false; !isLast; index += 1) {
      const content = await reader.take(SEGMENT_BYTES);
      isLast = await reader.atEnd();
      yield await sealSegment(keys.segments, tag, index, isLast, content);
    }
  } finally {
    await reader.close();
  }
}

/**
 * Opens a .zeq file: checks its header, then gives its content as a stream.
 *
 * @throws ZeqFileError if it is no .zeq file, is of another version, or does not open with this passphrase. `content` throws one for a
 * segment that was changed or moved, and at the end if something is missing.
 */
export async function openZeqFile(source: ByteSource, passphrase: string): Promise<OpenedZeqFile> {
  const reader = new ByteReader(source);
  try {
    return await openHeader(reader, passphrase);
  } catch (err) {
    await reader.close();
    throw err;
  }
}

/** The stamp for a file made at this moment. */
export function zeqFileMetadata(nowMs: number): ZeqFileMetadata {
  const { bits, energyJoules, sunsRequired, temperatureKelvin } = landauerCertificate(256);
  return {
    clock: {
      unix_ms: Math.floor(nowMs),
      zeqond: zeqondOf(nowMs),
      phase: phaseOf(nowMs),
      ko42: ko42Of(nowMs),
    },
    landauer: {
      bits,
      energy_joules: energyJoules,
      suns_required: sunsRequired,
      temperature_kelvin: temperatureKelvin,
    },
  };
}

async function openHeader(reader: ByteReader, passphrase: string): Promise<OpenedZeqFile> {
  const fixed = await reader.take(FIXED_HEADER_BYTES);
  const { rounds, salt, metadataBytes } = parseFixedHeader(fixed);
  const metadata = await reader.take(metadataBytes);
  const tag = await reader.take(HEADER_TAG_BYTES);
  if (metadata.length < metadataBytes || tag.length < HEADER_TAG_BYTES) throw new ZeqFileError('truncated');
  const keys = await deriveZeqFileKeys(passphrase, rounds, salt);
  const isGenuine = await crypto.subtle.verify('HMAC', keys.header, tag, concatBytes(fixed, metadata));
  if (!isGenuine) throw new ZeqFileError('wrong_passphrase_or_header');
  const parsed = JSON.parse(new TextDecoder().decode(metadata)) as ZeqFileMetadata; // written by a holder of the passphrase
  return { metadata: parsed, rounds, content: readContent(reader, keys.segments, tag) };
}

async function* readContent(
  reader: ByteReader,
  key: WebKey,
  headerTag: Bytes,
): AsyncGenerator<Bytes, void, undefined> {
  try {
    for (let index = 0, isLast = false; !isLast; index += 1) {
      const sealed = await reader.take(SEGMENT_BYTES + SEGMENT_TAG_BYTES);
      isLast = await reader.atEnd();
      if (sealed.length < SEGMENT_TAG_BYTES) throw new ZeqFileError('truncated');
      if (sealed.length === SEGMENT_TAG_BYTES && index > 0) throw new ZeqFileError('damaged_segment');
      yield await openSegment(key, headerTag, index, isLast, sealed);
    }
  } finally {
    await reader.close();
  }
}
