import { createHash } from 'node:crypto';
import { equalDigests, mintToken, newId, sha256, sha256Hex } from '../src/index.ts';

describe('mintToken', () => {
  it.each(['zsm_', 'zat_'] as const)(
    'makes a %s token of 43 base62 characters, its SHA-256 and its first 8 characters',
    (kind) => {
      const { token, sha256: digest, prefix } = mintToken(kind);

      expect(token).toMatch(new RegExp(`^${kind}[0-9A-Za-z]{43}$`));
      expect(digest).toBe(createHash('sha256').update(token).digest('hex'));
      expect(prefix).toBe(token.slice(0, 8));
    },
  );

  it('never makes one twice', () => {
    expect(new Set(Array.from({ length: 10_000 }, () => mintToken('zat_').token)).size).toBe(10_000);
  });
});

describe('newId', () => {
  it('makes a prefix and 22 base62 characters', () => {
    for (const kind of ['api', 'mch', 'key', 'tok'] as const) {
      expect(newId(kind)).toMatch(new RegExp(`^${kind}_[0-9A-Za-z]{22}$`));
    }
  });

  it('draws every character alike', () => {
    const counts = new Map<string, number>();
    const drawn = 20_000 * 22;

    for (let i = 0; i < 20_000; i += 1) {
      for (const char of newId('api').slice(4)) counts.set(char, (counts.get(char) ?? 0) + 1);
    }

    const expected = drawn / 62;
    const chiSquare = [...counts.values()].reduce(
      (sum, count) => sum + (count - expected) ** 2 / expected,
      0,
    );
    expect(counts.size).toBe(62);
    expect(chiSquare).toBeLessThan(130); // 61 degrees of freedom: exceeded less than once in a million
  });
});

describe('equalDigests', () => {
  it('is true for equal digests only, and takes nothing but digests', () => {
    expect(equalDigests(sha256('a'), sha256('a'))).toBe(true);
    expect(equalDigests(sha256('a'), sha256('b'))).toBe(false);
    expect(() => equalDigests(sha256('a'), Buffer.from('a'))).toThrow('digest: expected 32 bytes, got 1');
  });
});

describe('sha256Hex', () => {
  it('is SHA-256 of text as UTF-8, or of bytes', () => {
    expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(sha256Hex(Buffer.from('é'))).toBe(sha256Hex('é'));
    expect(sha256('abc').toString('hex')).toBe(sha256Hex('abc'));
  });
});
