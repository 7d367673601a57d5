import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { LeaseError, LeaseRecipient, sealLease } from '../src/index.ts';

const AAD = Buffer.from('mch_1 api_1 https://api.example.com:443');

describe('sealLease and LeaseRecipient', () => {
  const recipient = new LeaseRecipient();

  it('open what was sealed to them, as often as asked', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4096 }), fc.uint8Array({ maxLength: 64 }), (plaintext, aad) => {
        const lease = recipient.accept(sealLease(plaintext, recipient.publicKey, aad), aad);
        expect([lease.open(), lease.open()].every((opened) => opened.equals(plaintext))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('are on the wire as base64url: 43 characters of key, 16 of IV, ciphertext with its tag', () => {
    const sealed = sealLease(Buffer.from('12345678'), recipient.publicKey, AAD);

    expect(recipient.publicKey).toMatch(/^[\w-]{43}$/);
    expect(sealed).toEqual({
      ephemeral: expect.stringMatching(/^[\w-]{43}$/),
      iv: expect.stringMatching(/^[\w-]{16}$/),
      ciphertext: expect.stringMatching(/^[\w-]{32}$/),
    });
  });

  it('never use an ephemeral key or an IV twice', () => {
    const sealed = Array.from({ length: 100 }, () => sealLease(AAD, recipient.publicKey, AAD));

    expect(new Set(sealed.map((lease) => lease.ephemeral)).size).toBe(100);
    expect(new Set(sealed.map((lease) => lease.iv)).size).toBe(100);
  });

  it('give every call its own buffer, so that wiping one leaves the next whole', () => {
    const lease = recipient.accept(sealLease(Buffer.from('secret'), recipient.publicKey, AAD), AAD);

    lease.open().fill(0);

    expect(lease.open().toString()).toBe('secret');
  });

  it('refuse a lease sealed to another process, or for another thing', () => {
    const sealed = sealLease(Buffer.from('x'), recipient.publicKey, AAD);

    expect(() => new LeaseRecipient().accept(sealed, AAD)).toThrow(LeaseError);
    expect(() => recipient.accept(sealed, Buffer.from('mch_1 api_2'))).toThrow(LeaseError);
  });

  it('refuse a lease after any single-bit change of key, IV, ciphertext or tag', () => {
    const sealed = sealLease(Buffer.from('X-Key: 12345'), recipient.publicKey, AAD);

    for (const part of ['ephemeral', 'iv', 'ciphertext'] as const) {
      const bytes = Buffer.from(sealed[part], 'base64url');
      for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
        // X25519 ignores the top bit of a public key, so the transcript has to notice it
        const changed = Buffer.from(bytes);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        const lease = { ...sealed, [part]: changed.toString('base64url') };
        expect(() => recipient.accept(lease, AAD)).toThrow(LeaseError);
      }
    }
  });

  it('refuse a lease that is cut off', () => {
    const sealed = sealLease(Buffer.from('x'), recipient.publicKey, AAD);

    expect(() => recipient.accept({ ...sealed, iv: sealed.iv.slice(1) }, AAD)).toThrow(LeaseError);
    expect(() => recipient.accept({ ...sealed, ciphertext: '' }, AAD)).toThrow(LeaseError);
    expect(() => recipient.accept({ ...sealed, ephemeral: '' }, AAD)).toThrow(LeaseError);
  });

  it('refuse a public key of low order, on both sides: its shared secret is known to everybody', () => {
    const sealed = sealLease(Buffer.from('x'), recipient.publicKey, AAD);

    for (const low of [Buffer.alloc(32), Buffer.concat([Buffer.from([1]), Buffer.alloc(31)])]) {
      const text = low.toString('base64url');
      expect(() => sealLease(Buffer.from('x'), text, AAD)).toThrow(RangeError);
      expect(() => recipient.accept({ ...sealed, ephemeral: text }, AAD)).toThrow(LeaseError);
    }
  });

  it('refuse a recipient that is not a public key', () => {
    expect(() => sealLease(Buffer.from('x'), randomBytes(16).toString('base64url'), AAD)).toThrow(RangeError);
  });
});
