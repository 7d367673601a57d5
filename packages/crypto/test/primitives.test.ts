import { createHmac, createPrivateKey, createPublicKey, hkdfSync, pbkdf2Sync, verify } from 'node:crypto';
import { agree, parsePublicKey } from '../src/index.ts';
import { bytes, cavp, wycheproof } from './published.ts';

/** The runtime's primitives, as every derivation here uses them. A difference after an upgrade shows up in this file first. */
interface Vector {
  result: 'valid' | 'invalid' | 'acceptable';
}

describe('HKDF-SHA256', () => {
  it('agrees with all 86 Wycheproof vectors', () => {
    const all = wycheproof<
      Vector & { ikm: string; salt: string; info: string; size: number; okm: string },
      object
    >('hkdf_sha256_test.json');

    for (const { test } of all) {
      const derive = () => hkdfSync('sha256', bytes(test.ikm), bytes(test.salt), bytes(test.info), test.size);
      if (test.result === 'invalid') expect(derive).toThrow();
      else expect(Buffer.from(derive()).toString('hex')).toBe(test.okm);
    }
    expect(all).toHaveLength(86);
  });
});

describe('HMAC-SHA256', () => {
  it('agrees with all 174 Wycheproof vectors', () => {
    const all = wycheproof<Vector & { key: string; msg: string; tag: string }, { tagSize: number }>(
      'hmac_sha256_test.json',
    );

    for (const { group, test } of all) {
      const tag = createHmac('sha256', bytes(test.key)).update(bytes(test.msg)).digest();
      const matches = tag.subarray(0, group.tagSize / 8).equals(bytes(test.tag));
      expect([test.result, matches]).toEqual([test.result, test.result === 'valid']);
    }
    expect(all).toHaveLength(174);
  });

  it('agrees with all 225 NIST CAVP records', () => {
    const records = cavp('HMAC.sha256.rsp');

    for (const { Key, Msg, Mac, Tlen } of records) {
      const tag = createHmac('sha256', bytes(Key)).update(bytes(Msg)).digest();
      expect(tag.toString('hex', 0, Number(Tlen))).toBe(Mac);
    }
    expect(records).toHaveLength(225);
  });
});

describe('PBKDF2-HMAC-SHA256', () => {
  it('agrees with all 60 Wycheproof vectors', () => {
    type Pbkdf = Vector & {
      password: string;
      salt: string;
      iterationCount: number;
      dkLen: number;
      dk: string;
    };
    const all = wycheproof<Pbkdf, object>('pbkdf2_hmacsha256_test.json');

    for (const { test } of all) {
      const dk = pbkdf2Sync(
        bytes(test.password),
        bytes(test.salt),
        test.iterationCount,
        test.dkLen,
        'sha256',
      );
      expect(dk.toString('hex')).toBe(test.dk);
    }
    expect(all).toHaveLength(60);
  });
});

describe('Ed25519 verification', () => {
  it('agrees with all 151 Wycheproof vectors', () => {
    const all = wycheproof<Vector & { msg: string; sig: string }, { publicKeyDer: string }>(
      'ed25519_test.json',
    );

    for (const { group, test } of all) {
      const key = createPublicKey({ key: bytes(group.publicKeyDer), format: 'der', type: 'spki' });
      expect([test, verify(null, bytes(test.msg), key, bytes(test.sig))]).toEqual([
        test,
        test.result === 'valid',
      ]);
    }
    expect(all).toHaveLength(151);
  });
});

describe('agree (X25519)', () => {
  it('agrees with 487 Wycheproof vectors and refuses the 31 whose shared secret is all zeros', () => {
    const all = wycheproof<Vector & { public: string; private: string; shared: string }, object>(
      'x25519_test.json',
    );
    let refused = 0;

    for (const { test } of all) {
      const shared = () => agree(privateKey(test.private), parsePublicKey(toBase64url(test.public)));
      if (/^0+$/.test(test.shared)) {
        refused += 1;
        expect(shared).toThrow('X25519: the shared secret is all zeros');
      } else expect(shared().toString('hex')).toBe(test.shared);
    }
    expect([all.length, refused]).toEqual([518, 31]);
  });

  it.each([
    ['padding', `${'A'.repeat(43)}=`],
    ['31 bytes', 'A'.repeat(42)],
    ['33 bytes', 'A'.repeat(44)],
    ['bits after the 32nd byte', `${'A'.repeat(42)}B`],
    ['the other base64 alphabet', `${'A'.repeat(41)}+A`],
    ['nothing', ''],
  ])('refuses a public key with %s', (_what, text) => {
    expect(() => parsePublicKey(text)).toThrow(RangeError);
  });
});

const toBase64url = (hex: string): string => bytes(hex).toString('base64url');

/** A raw X25519 private key in its PKCS #8 wrapping (RFC 8410, section 7). */
const privateKey = (hex: string) =>
  createPrivateKey({
    key: Buffer.concat([bytes('302e020100300506032b656e04220420'), bytes(hex)]),
    format: 'der',
    type: 'pkcs8',
  });
