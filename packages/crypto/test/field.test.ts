import { createSecretKey, hkdfSync, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import {
  decryptField,
  encryptField,
  FIELD_OVERHEAD_BYTES,
  FIELD_VERSION,
  FieldError,
  type FieldPlace,
  fieldAad,
  KeyRing,
  lengthPrefixed,
  MAX_FIELD_BYTES,
  type SealedField,
  sealCommitted,
  sha256,
} from '../src/index.ts';
import { somePlace } from './places.ts';

const HEADER = `Authorization: Bearer sk-${'x'.repeat(96)}`;
const ring = new KeyRing(randomBytes(32));

describe('encryptField and decryptField', () => {
  it('open what was sealed, for any 0 to 4,096 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4096 }), (plaintext) => {
        const sealed = encryptField(ring, somePlace(), plaintext);
        expect(sealed.ciphertext).toHaveLength(plaintext.length + FIELD_OVERHEAD_BYTES);
        expect(decryptField(ring, somePlace(), sealed).equals(plaintext)).toBe(true);
      }),
      { numRuns: 10_000 },
    );
  });

  it('never give one ciphertext twice for one plaintext', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (plaintext) => {
        const [one, two] = [
          encryptField(ring, somePlace(), plaintext),
          encryptField(ring, somePlace(), plaintext),
        ];
        expect(one.iv.equals(two.iv)).toBe(false);
        expect(one.ciphertext.equals(two.ciphertext)).toBe(false);
      }),
      { numRuns: 10_000 },
    );
  });

  it('never open under another master key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.string(), (other, plaintext) => {
        const sealed = encryptField(ring, somePlace(), plaintext);
        const stranger = new KeyRing(other);
        expect(failure(() => decryptField(stranger, somePlace(), sealed))).toBe('unknown_key');
        const renamed = { ...sealed, kid: stranger.currentKid };
        expect(failure(() => decryptField(stranger, somePlace(), renamed))).toBe('commitment');
      }),
      { numRuns: 10_000 },
    );
  });

  it('keep the layout commitment(32) ‖ ciphertext ‖ tag(16), key and commitment out of one HKDF', () => {
    const master = Buffer.from(randomBytes(32));
    const own = new KeyRing(master);
    const place = somePlace();
    const info = lengthPrefixed('zeq-mesh/field-key', '1', place.table, place.column, place.tenantId);
    const okm = Buffer.from(hkdfSync('sha256', master, place.tenantSalt, info, 64));
    const key = { key: createSecretKey(okm.subarray(0, 32)), commitment: okm.subarray(32) };

    const sealed = encryptField(own, place, HEADER);

    const same = sealCommitted(key, sealed.iv, fieldAad(place, sealed.kid), Buffer.from(HEADER));
    expect(sealed.ciphertext.equals(same)).toBe(true);
  });

  it('authenticate version, table, column, tenant, row, origin, digest and kid, each with its length', () => {
    const place = somePlace();
    const parts = ['zeq-mesh/field', '1', 'apis', 'auth_header', place.tenantId, place.rowId, place.origin];

    expect(fieldAad(place, ring.currentKid)).toEqual(
      lengthPrefixed(...parts, place.rowDigest, ring.currentKid),
    );
  });

  it('refuse a field that is too long and a place that is not whole', () => {
    expect(() => encryptField(ring, somePlace(), Buffer.alloc(MAX_FIELD_BYTES + 1))).toThrow(RangeError);
    expect(() => encryptField(ring, somePlace({ tenantSalt: randomBytes(31) }), 'x')).toThrow(
      'tenant salt: expected 32 bytes, got 31',
    );
    expect(() => encryptField(ring, somePlace({ rowDigest: randomBytes(33) }), 'x')).toThrow(
      'row digest: expected 32 bytes, got 33',
    );
  });
});

describe('a stored row that was changed', () => {
  const sealed = encryptField(ring, somePlace(), HEADER);

  it('does not open after any single-bit change of IV, ciphertext, tag, commitment or kid', () => {
    const flips = [
      ...flipsOf(sealed.iv).map((iv) => ({ ...sealed, iv })),
      ...flipsOf(sealed.ciphertext).map((ciphertext) => ({ ...sealed, ciphertext })),
      ...flipsOf(Buffer.from(sealed.kid)).map((kid) => ({ ...sealed, kid: kid.toString('latin1') })),
    ];

    for (const flipped of flips)
      expect(failure(() => decryptField(ring, somePlace(), flipped))).toBeDefined();

    expect(flips.length).toBeGreaterThan(1_500);
  });

  it('does not open when cut to any length or made longer', () => {
    const { ciphertext, iv } = sealed;
    const cut = Array.from(ciphertext, (_byte, length) => ({
      ...sealed,
      ciphertext: ciphertext.subarray(0, length),
    }));
    const grown = Array.from({ length: 64 }, (_x, more) => ({
      ...sealed,
      ciphertext: Buffer.concat([ciphertext, randomBytes(more + 1)]),
    }));
    const ivs = [0, 1, 8, 11, 13, 16, 257].map((length) => ({
      ...sealed,
      iv: Buffer.concat([iv, iv]).subarray(0, length),
    }));
    ivs[6] = { ...sealed, iv: Buffer.alloc(257) };

    for (const changed of [...cut, ...grown, ...ivs, { ...sealed, ciphertext: randomBytes(4_097) }]) {
      expect(failure(() => decryptField(ring, somePlace(), changed))).toBeDefined();
    }
  });

  it.each([
    ['null ciphertext', { ciphertext: null }],
    ['null IV', { iv: null }],
    ['null kid', { kid: null }],
    ['text instead of bytes', { ciphertext: sealed.ciphertext.toString('hex') }],
    ['a kid in capitals', { kid: sealed.kid.toUpperCase().padEnd(16, 'A') }],
    ['an empty kid', { kid: '' }],
  ])('does not open with %s', (_what, change) => {
    const row = { ...sealed, ...change } as unknown as SealedField;

    expect(failure(() => decryptField(ring, somePlace(), row))).toMatch(/^(format|unknown_key)$/);
  });

  it.each<[keyof FieldPlace, Partial<FieldPlace>]>([
    ['table', { table: 'channels' }],
    ['column', { column: 'secret' }],
    ['tenantId', { tenantId: 'mch_0000000000000000000002' }],
    ['tenantSalt', { tenantSalt: randomBytes(32) }],
    ['rowId', { rowId: 'api_0000000000000000000002' }],
    ['origin', { origin: 'https://evil.example.com:443' }],
    ['rowDigest', { rowDigest: sha256('another name') }],
  ])('does not open in a place with another %s', (_part, change) => {
    expect(failure(() => decryptField(ring, somePlace(change), sealed))).toBeDefined();
  });

  it('does not open when it was sealed under another version of the format', () => {
    const scope = { ...somePlace(), version: FIELD_VERSION + 1 };
    const key = ring.fieldKey(ring.currentKid, scope)!;
    const iv = randomBytes(12);
    const aad = fieldAad(somePlace(), ring.currentKid, FIELD_VERSION + 1);
    const ciphertext = sealCommitted(key, iv, aad, Buffer.from(HEADER));

    expect(failure(() => decryptField(ring, somePlace(), { iv, ciphertext, kid: ring.currentKid }))).toBe(
      'commitment',
    );
  });

  it('does not open when parts of the place move across a border', () => {
    const moved = somePlace({ table: 'apisauth', column: '_header' });

    expect(fieldAad(moved, sealed.kid).equals(fieldAad(somePlace(), sealed.kid))).toBe(false);
    expect(failure(() => decryptField(ring, moved, sealed))).toBe('commitment');
  });

  it('does not open in any other of 20 rows of 5 tenants: 380 of 380 swaps refused, with the IV and without', () => {
    const salts = Array.from({ length: 5 }, () => randomBytes(32));
    const rows = Array.from({ length: 20 }, (_x, i) => {
      const place = somePlace({ tenantId: `mch_${i % 5}`, tenantSalt: salts[i % 5]!, rowId: `api_${i}` });
      return { place, sealed: encryptField(ring, place, `${HEADER}${i}`) };
    });
    let refused = 0;

    for (const from of rows) {
      for (const to of rows.filter((row) => row !== from)) {
        const withoutIv = { ...from.sealed, iv: to.sealed.iv };
        expect(failure(() => decryptField(ring, to.place, from.sealed))).toBeDefined();
        expect(failure(() => decryptField(ring, to.place, withoutIv))).toBeDefined();
        refused += 1;
      }
    }
    expect(refused).toBe(380);
  });
});

describe('FieldError', () => {
  it('is one error for every cause; the reason is only for a log that asks for it', () => {
    const sealed = encryptField(ring, somePlace(), HEADER);
    const causes = [
      () => decryptField(ring, somePlace(), { ...sealed, kid: 'ffffffffffffffff' }),
      () => decryptField(ring, somePlace({ tenantId: 'mch_2' }), sealed),
      () => decryptField(ring, somePlace({ origin: 'https://b' }), sealed),
      () => decryptField(ring, somePlace(), { ...sealed, iv: Buffer.alloc(3) }),
    ];

    const errors = causes.map((cause) => thrownBy(cause));

    expect(errors.map((err) => err.reason)).toEqual(['unknown_key', 'commitment', 'tag', 'format']);
    expect(
      new Set(errors.map((err) => JSON.stringify([err, err.name, err.message, Object.keys(err)]))).size,
    ).toBe(1);
    for (const err of errors) expect(`${err.stack}`).not.toMatch(/Bearer|sk-|unknown_key|commitment/);
  });
});

describe('the IVs of 100,000 fields', () => {
  it('are 12 bytes each, all different, every byte flat (chi-square p > 10^-6)', () => {
    const counts = Array.from({ length: 12 }, () => new Uint32Array(256));
    const seen = new Set<string>();

    for (let i = 0; i < IVS; i += 1) {
      const { iv } = encryptField(ring, somePlace(), '');
      if (iv.length !== 12) throw new Error('an IV of another length');
      seen.add(iv.toString('latin1'));
      for (const [position, byte] of iv.entries()) counts[position]![byte]! += 1;
    }

    expect(seen.size).toBe(IVS);
    for (const position of counts) expect(chiSquare(position)).toBeLessThan(CHI_SQUARE_255_AT_1E6);
  }, 60_000);
});

const IVS = 100_000;
/** The value that chi-square with 255 degrees of freedom exceeds once in a million. */
const CHI_SQUARE_255_AT_1E6 = 377.2;

function chiSquare(counts: Uint32Array): number {
  const expected = IVS / 256;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** Every copy of the bytes with one bit turned over. */
function flipsOf(bytes: Buffer): Buffer[] {
  return Array.from({ length: 8 * bytes.length }, (_x, bit) => {
    const copy = Buffer.from(bytes);
    copy[bit >> 3]! ^= 1 << (bit & 7);
    return copy;
  });
}

function thrownBy(open: () => unknown): FieldError {
  try {
    open();
  } catch (err) {
    if (err instanceof FieldError) return err;
    throw err;
  }
  throw new Error('it opened');
}

/** Why it did not open. A test fails if it opens, or fails with another error. */
const failure = (open: () => unknown): FieldError['reason'] => thrownBy(open).reason;
