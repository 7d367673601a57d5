import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import {
  encryptZeqFile,
  openZeqFile,
  ZEQ_FILE_ROUNDS,
  ZeqFileError,
  type ZeqFileFault,
  zeqFileMetadata,
} from '../src/web/index.ts';
import { deriveZeqFileKeys } from '../src/web/zeq-file-header.ts';
import { openSegment, SEGMENT_BYTES, sealSegment } from '../src/web/zeq-file-segment.ts';
import { collected } from './collected.ts';

const PASSPHRASE = 'a passphrase of some length';
const NOW = 1_740_499_200_123;
const ROUNDS = 100_000;
const SEALED_BYTES = SEGMENT_BYTES + 16;

describe('encryptZeqFile and openZeqFile', () => {
  it.each([
    0,
    1,
    SEGMENT_BYTES - 1,
    SEGMENT_BYTES,
    SEGMENT_BYTES + 1,
    2 * SEGMENT_BYTES,
    3 * SEGMENT_BYTES + 7,
  ])('give back %d bytes', async (length) => {
    const content = randomBytes(length);

    const file = await encrypted(content);

    expect(file.length - headerBytes(file)).toBe(
      length + 16 * Math.max(1, Math.ceil(length / SEGMENT_BYTES)),
    );
    expect((await decrypted(file)).equals(content)).toBe(true);
  });

  it('do not mind how their input is cut into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 40_000 }), { minLength: 1, maxLength: 8 }), async (sizes) => {
        const chunks = sizes.map((size) => randomBytes(size));
        const file = await encrypted(...chunks);
        const recut = cut(file, sizes);
        expect((await decrypted(...recut)).equals(Buffer.concat(chunks))).toBe(true);
      }),
      { numRuns: 10 },
    );
  });

  it('use 600,000 rounds unless told otherwise, and say so in the file', async () => {
    const file = await collect(encryptZeqFile([], PASSPHRASE, { nowMs: NOW }));

    const { rounds } = await openZeqFile([file], PASSPHRASE);

    expect([rounds, file.readUInt32BE(6), ZEQ_FILE_ROUNDS]).toEqual([600_000, 600_000, 600_000]);
  });

  it('carry the clock stamp and the Landauer certificate, readable by everybody and changed by nobody', async () => {
    const file = await encrypted(Buffer.from('x'));
    const metadata = zeqFileMetadata(NOW);

    expect((await openZeqFile([file], PASSPHRASE)).metadata).toEqual(metadata);
    expect(metadata).toEqual({
      clock: { unix_ms: NOW, zeqond: 2_240_024_710, phase: 453 / 777, ko42: expect.any(Number) },
      landauer: {
        bits: 256,
        energy_joules: '3.324e+56',
        suns_required: '2.770e+12',
        temperature_kelvin: 300,
      },
    });
    expect(file.toString('latin1')).toContain('"zeqond":2240024710');
  });

  it('never make one file twice', async () => {
    const [one, two] = [await encrypted(Buffer.from('x')), await encrypted(Buffer.from('x'))];

    expect(one.subarray(10, 42).equals(two.subarray(10, 42))).toBe(false);
    expect(one.subarray(-17).equals(two.subarray(-17))).toBe(false);
  });

  it('take one passphrase for one, however its accents are typed', async () => {
    const file = await collect(
      encryptZeqFile([], 'caf\u00e9 caf\u00e9 caf\u00e9', { nowMs: NOW, rounds: ROUNDS }),
    );

    const { rounds } = await openZeqFile([file], 'cafe\u0301 cafe\u0301 cafe\u0301');

    expect(rounds).toBe(ROUNDS);
  });

  it('hold no more than a few segments, whatever the length', async () => {
    let pulled = 0;
    function* endless() {
      for (; pulled < 1_000; pulled += 1) yield randomBytes(SEGMENT_BYTES);
    }
    const file = encryptZeqFile(endless(), PASSPHRASE, { nowMs: NOW, rounds: ROUNDS });

    for (let segment = 0; segment < 10; segment += 1) await file.next();
    await file.return();

    expect(pulled).toBeLessThanOrEqual(11);
  });
});

describe('a .zeq file', () => {
  it.each([
    ['a short passphrase', 'eleven char', 600_000],
    ['too few rounds', PASSPHRASE, 99_999],
    ['too many rounds', PASSPHRASE, 10_000_001],
    ['half a round', PASSPHRASE, 100_000.5],
  ])('is not made with %s', async (_what, passphrase, rounds) => {
    await expect(collect(encryptZeqFile([], passphrase, { nowMs: NOW, rounds }))).rejects.toThrow(RangeError);
  });

  it('does not open with another passphrase', async () => {
    expect(await fault([await encrypted(Buffer.from('x'))], 'another passphrase')).toBe(
      'wrong_passphrase_or_header',
    );
  });

  it('does not open when any byte of its header was changed', async () => {
    const file = await encrypted(Buffer.from('x'));

    for (let at = 0; at < headerBytes(file); at += at < 46 ? 1 : 5) {
      const changed = Buffer.from(file);
      changed[at]! ^= 1 << (at % 8);
      expect(await fault([changed])).toMatch(
        /^(not_a_zeq_file|unsupported|truncated|wrong_passphrase_or_header)$/,
      );
    }
  }, 60_000);

  it('is not read with rounds outside the limits: nobody can weaken it, or keep its reader busy', async () => {
    for (const rounds of [0, 1, 99_999, 10_000_001, 0xffffffff]) {
      const file = await encrypted(Buffer.from('x'));
      file.writeUInt32BE(rounds, 6);
      expect(await fault([file])).toBe('unsupported');
    }
  });

  it('does not open when segments are swapped, repeated, dropped, added or taken from another file', async () => {
    const content = randomBytes(3 * SEGMENT_BYTES + 5);
    const [head, a, b, c, last] = partsOf(await encrypted(content));
    const foreign = partsOf(await encrypted(content));
    const bad = [
      [head, b, a, c, last],
      [head, a, a, b, c, last],
      [head, a, c, last],
      [head, a, b, c],
      [head, a, b],
      [head, a, b, c, last, last],
      [head, a, foreign[2], c, last],
      [head, last],
      [head, a, b, c, last, Buffer.of(0)],
    ];

    for (const parts of bad) expect(await fault(parts as Buffer[])).toBe('damaged_segment');
    expect(await fault([head!])).toBe('truncated');
    expect(await fault([foreign[0]!, a!, b!, c!, last!])).toBe('damaged_segment');
  });

  it('does not open when it is cut off anywhere', async () => {
    const file = await encrypted(randomBytes(SEGMENT_BYTES + 40));
    const start = headerBytes(file);
    const lengths = [
      0,
      1,
      45,
      46,
      60,
      start - 1,
      start,
      start + 15,
      start + 16,
      start + SEALED_BYTES - 1,
      start + SEALED_BYTES,
    ];

    for (const length of [
      ...lengths,
      start + SEALED_BYTES + 15,
      start + SEALED_BYTES + 16,
      file.length - 1,
    ]) {
      expect(await fault([file.subarray(0, length)])).toMatch(/^(not_a_zeq_file|truncated|damaged_segment)$/);
    }
  });

  it('gives what came before a damaged segment, and nothing of it or after it', async () => {
    const content = randomBytes(2 * SEGMENT_BYTES + 5);
    const file = await encrypted(content);
    file[headerBytes(file) + SEALED_BYTES + 9]! ^= 1;
    const { content: segments } = await openZeqFile([file], PASSPHRASE);

    expect(Buffer.from((await segments.next()).value!).equals(content.subarray(0, SEGMENT_BYTES))).toBe(true);
    await expect(segments.next()).rejects.toThrow(ZeqFileError);
    expect((await segments.next()).done).toBe(true);
  });

  it('closes its source when it does not open', async () => {
    let isClosed = false;
    async function* source() {
      try {
        yield Buffer.from('not one of ours, and long enough to look at for a moment');
        yield Buffer.alloc(1);
      } finally {
        isClosed = true;
      }
    }

    await expect(openZeqFile(source(), PASSPHRASE)).rejects.toThrow('This is not a .zeq file.');
    expect(isClosed).toBe(true);
  });
});

describe('a segment', () => {
  it('does not open after any single-bit change, at another index, as last or not last, or under another header', async () => {
    const { segments: key } = await deriveZeqFileKeys(PASSPHRASE, ROUNDS, new Uint8Array(32));
    const tag = new Uint8Array(32).fill(7);
    const sealed = await sealSegment(key, tag, 5, false, new Uint8Array(20));

    for (let bit = 0; bit < 8 * sealed.length; bit += 1) {
      const changed = Uint8Array.from(sealed);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      await expect(openSegment(key, tag, 5, false, changed)).rejects.toThrow(ZeqFileError);
    }
    await expect(openSegment(key, tag, 4, false, sealed)).rejects.toThrow(ZeqFileError);
    await expect(openSegment(key, tag, 5, true, sealed)).rejects.toThrow(ZeqFileError);
    await expect(openSegment(key, new Uint8Array(32), 5, false, sealed)).rejects.toThrow(ZeqFileError);
    expect(await openSegment(key, tag, 5, false, sealed)).toEqual(new Uint8Array(20));
  });
});

describe('the modules for browsers', () => {
  it('import nothing of Node and name no Buffer', () => {
    const seen = new Set<string>();
    const visit = (url: URL): void => {
      if (seen.has(url.href)) return;
      seen.add(url.href);
      const source = readFileSync(url, 'utf8');
      expect(source).not.toMatch(/node:|\bBuffer\b|\bprocess\./);
      for (const [, path] of source.matchAll(/from '(\.[^']+)'/g)) visit(new URL(path!, url));
    };

    visit(new URL('../src/web/index.ts', import.meta.url));

    expect(seen.size).toBeGreaterThan(8);
  });
});

const encrypted = (...chunks: Uint8Array[]): Promise<Buffer> =>
  collect(encryptZeqFile(chunks, PASSPHRASE, { nowMs: NOW, rounds: ROUNDS }));

async function decrypted(...chunks: Uint8Array[]): Promise<Buffer> {
  return collect((await openZeqFile(chunks, PASSPHRASE)).content);
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await collected(chunks));
}

const headerBytes = (file: Buffer): number => 46 + file.readUInt32BE(42) + 32;

/** The header and the sealed segments. */
function partsOf(file: Buffer): Buffer[] {
  const parts = [file.subarray(0, headerBytes(file))];
  for (let at = headerBytes(file); at < file.length; at += SEALED_BYTES)
    parts.push(file.subarray(at, at + SEALED_BYTES));
  return parts;
}

/** The bytes in pieces of these sizes, and the rest. */
function cut(bytes: Buffer, sizes: number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let rest = bytes;
  for (const size of sizes) {
    pieces.push(rest.subarray(0, size));
    rest = rest.subarray(size);
  }
  return [...pieces, rest];
}

async function fault(chunks: Uint8Array[], passphrase = PASSPHRASE): Promise<ZeqFileFault> {
  try {
    await collect((await openZeqFile(chunks, passphrase)).content);
  } catch (err) {
    if (err instanceof ZeqFileError) return err.fault;
    throw err;
  }
  throw new Error('it opened');
}
