import { ProblemError } from '@zeq/service-kit';

/** More are an attack on our time. */
const MAX_ENCODINGS = 5;

export type Encoding = 'gzip' | 'deflate' | 'br' | 'zstd';

/** Names as they are registered (RFC 9110 section 8.4.1), and the one that must be taken for gzip. */
const KNOWN: Readonly<Record<string, Encoding>> = {
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
  br: 'br',
  zstd: 'zstd',
};

/**
 * The encodings of an answer, in the order in which they were applied. The upstream was asked for none; one that compresses all
 * the same is unpacked, because a secret cannot be seen in packed bytes.
 *
 * @throws ProblemError `upstream_invalid` for one that cannot be unpacked, or too many.
 */
export function contentEncodings(header: string | string[] | undefined): Encoding[] {
  if (header === undefined) return [];
  const names = String(header)
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
  if (names.length > MAX_ENCODINGS)
    throw new ProblemError('upstream_invalid', 'The upstream encoded its answer too many times.');
  return names.map((name) => {
    const encoding = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined;
    if (encoding === undefined)
      throw new ProblemError(
        'upstream_invalid',
        'The upstream answered in an encoding that cannot be searched.',
      );
    return encoding;
  });
}

/** What was true of the packed bytes only. */
const OF_PACKED_BYTES: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-length',
  'content-md5',
  'content-digest',
  'digest',
]);

/**
 * The headers of an answer that is handed on unpacked: an entity tag still stands for the same content, but no longer for the
 * same bytes, so it becomes a weak one (RFC 9110 section 8.8.1).
 *
 * @param headers Raw pairs, names in lower case.
 */
export function unpackedHeaders(headers: readonly string[]): string[] {
  const out: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const [name, value] = [headers[i]!, headers[i + 1]!];
    if (OF_PACKED_BYTES.has(name)) continue;
    out.push(name, name === 'etag' && !value.startsWith('W/') ? `W/${value}` : value);
  }
  return out;
}
