import { createHash } from 'node:crypto';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { contentEncodings, type Encoding, unpackedHeaders } from '../../src/redaction/content-encoding.ts';
import { Unpacker } from '../../src/redaction/unpack.ts';

const BODY = Buffer.from(Array.from({ length: 5_000 }, (_, i) => `line ${i}`).join('\n'));

const PACK = {
  gzip: gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
} satisfies Record<Encoding, (data: Buffer) => Buffer>;

/** @returns The unpacked bytes, or the code of the failure. */
function unpack(encodings: Encoding[], packed: Buffer, size = 1_000): Promise<Buffer | string> {
  return new Promise((resolve) => {
    const out: Buffer[] = [];
    const unpacker = new Unpacker(encodings, {
      data: (chunk) => out.push(chunk),
      drain: () => undefined,
      end: () => resolve(Buffer.concat(out)),
      fail: ({ code }) => resolve(code),
    });
    for (let at = 0; at < packed.length; at += size) unpacker.write(packed.subarray(at, at + size));
    unpacker.end();
  });
}

const digest = (data: Buffer | string) => createHash('sha256').update(data).digest('hex');

describe('Unpacker', () => {
  it.each(Object.keys(PACK) as Encoding[])('%s, in pieces of any size', async (encoding) => {
    const packed = PACK[encoding](BODY);
    for (const size of [1, 7, 100_000])
      expect(digest(await unpack([encoding], packed, size))).toBe(digest(BODY));
  });

  it('deflate without its wrapper, as some send it', async () => {
    expect(digest(await unpack(['deflate'], deflateRawSync(BODY)))).toBe(digest(BODY));
  });

  it('several encodings, the last one first', async () => {
    const packed = brotliCompressSync(gzipSync(zstdCompressSync(BODY)));
    expect(digest(await unpack(['zstd', 'gzip', 'br'], packed))).toBe(digest(BODY));
  });

  it('nothing at all', async () => {
    expect(digest(await unpack(['gzip'], Buffer.alloc(0)))).toBe(digest(''));
  });

  it.each([
    ['bytes that are not packed', Buffer.from('hello, I am plain text')],
    ['an end that is missing', gzipSync(BODY).subarray(0, -10)],
    ['a wrong checksum', Buffer.concat([gzipSync(BODY).subarray(0, -8), Buffer.alloc(8)])],
  ])('fails for %s', async (_what, packed) => {
    expect(await unpack(['gzip'], packed)).toBe('upstream_invalid');
  });

  it('stops at what grows out of measure, at whatever depth', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    expect(await unpack(['gzip'], bomb)).toBe('upstream_invalid');
    const quiet = gzipSync(Buffer.concat(Array.from({ length: 3_000_000 }, () => EMPTY_MEMBER)));
    expect(await unpack(['gzip', 'gzip'], quiet)).toBe('upstream_invalid'); // unpacks to nothing in the end
  });

  it('hands on what has come of a stream before it goes on', async () => {
    const { createGzip, constants } = await import('node:zlib');
    const gzip = createGzip();
    const first = new Promise<Buffer>((resolve) => gzip.once('data', resolve));
    gzip.write('data: one\n\n');
    gzip.flush(constants.Z_SYNC_FLUSH);
    const head = await first;
    const more = new Promise<Buffer>((resolve) => gzip.once('data', resolve));
    const seen = await new Promise<string>((resolve) => {
      const unpacker = new Unpacker(['gzip'], {
        data: (chunk) => resolve(chunk.toString()),
        drain: () => undefined,
        end: () => resolve('ended'),
        fail: ({ code }) => resolve(code),
      });
      unpacker.write(head);
      void more.then((chunk) => unpacker.write(chunk));
    });
    expect(seen).toBe('data: one\n\n');
    gzip.destroy();
  });
});

const EMPTY_MEMBER = gzipSync(Buffer.alloc(0));

describe('contentEncodings', () => {
  it.each([
    [undefined, []],
    ['identity', []],
    ['GZIP', ['gzip']],
    ['x-gzip, br', ['gzip', 'br']],
    [
      ['gzip', 'deflate, zstd'],
      ['gzip', 'deflate', 'zstd'],
    ],
  ])('reads %j as %j', (header, encodings) => {
    expect(contentEncodings(header)).toEqual(encodings);
  });

  it.each(['compress', 'toString', 'gzip,'.repeat(6), 'aes128gcm'])('refuses %j', (header) => {
    expect(() => contentEncodings(header)).toThrow(/upstream/);
  });

  it('drops what is not true of the unpacked bytes', () => {
    const headers = [
      'content-encoding',
      'gzip',
      'etag',
      '"a"',
      'content-length',
      '9',
      'x-a',
      'b',
      'etag',
      'W/"b"',
    ];
    expect(unpackedHeaders(headers)).toEqual(['etag', 'W/"a"', 'x-a', 'b', 'etag', 'W/"b"']);
  });
});
