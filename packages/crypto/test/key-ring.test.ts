import { createHash, randomBytes } from 'node:crypto';
import { decryptField, encryptField, KeyRing, kidOf, lengthPrefixed } from '../src/index.ts';
import { somePlace } from './places.ts';

describe('KeyRing', () => {
  const [older, newer] = [randomBytes(32), randomBytes(32)];
  const scope = { ...somePlace(), version: 1 };

  it('writes under the current key and reads under both while a rotation runs', () => {
    const before = new KeyRing(older);
    const during = new KeyRing(newer, older);
    const sealed = encryptField(before, somePlace(), 'X-Key: 1');

    expect(decryptField(during, somePlace(), sealed).toString()).toBe('X-Key: 1');
    expect(encryptField(during, somePlace(), 'X-Key: 1').kid).toBe(kidOf(newer));
    expect([during.currentKid, during.previousKid]).toEqual([kidOf(newer), kidOf(older)]);
    expect([during.has(kidOf(older)), before.has(kidOf(newer))]).toEqual([true, false]);
  });

  it('names a key by the first 8 bytes of SHA-256 over a labelled copy, not over the key itself', () => {
    const labelled = Buffer.concat([lengthPrefixed('zeq-mesh/kid/v1'), older]);

    expect(kidOf(older)).toBe(createHash('sha256').update(labelled).digest('hex').slice(0, 16));
    expect(kidOf(older)).not.toBe(createHash('sha256').update(older).digest('hex').slice(0, 16));
  });

  it('refuses a key that is not 32 bytes, and the same key twice', () => {
    expect(() => new KeyRing(randomBytes(31))).toThrow('current master key: expected 32 bytes, got 31');
    expect(() => new KeyRing(newer, randomBytes(33))).toThrow(
      'previous master key: expected 32 bytes, got 33',
    );
    expect(() => new KeyRing(newer, newer)).toThrow('both master keys are the same');
  });

  it('copies the master keys, so that the caller may wipe its own', () => {
    const mine = Buffer.from(newer);
    const ring = new KeyRing(mine);
    const sealed = encryptField(ring, somePlace(), 'x');

    mine.fill(0);

    expect(decryptField(ring, somePlace({ tenantId: somePlace().tenantId }), sealed).toString()).toBe('x');
    expect(decryptField(new KeyRing(newer), somePlace(), sealed).toString()).toBe('x');
  });

  it('has another key and another commitment for every scope', () => {
    const ring = new KeyRing(newer, older);
    const scopes = [
      scope,
      { ...scope, version: 2 },
      { ...scope, table: 't' },
      { ...scope, column: 'c' },
      { ...scope, tenantId: 'mch_2' },
      { ...scope, tenantSalt: randomBytes(32) },
      { ...scope, table: 'api', column: 'sauth_header' },
    ];
    const derived = [ring.currentKid, ring.previousKid!].flatMap((kid) =>
      scopes.map((s) => ring.fieldKey(kid, s)!),
    );

    expect(new Set(derived.map((own) => own.key.export().toString('hex'))).size).toBe(14);
    expect(new Set(derived.map((own) => own.commitment.toString('hex'))).size).toBe(14);
  });

  it('derives a key once, and again for one that has fallen out of its bounded memory', () => {
    const ring = new KeyRing(newer);
    const first = ring.fieldKey(ring.currentKid, scope)!;

    expect(ring.fieldKey(ring.currentKid, { ...scope })).toBe(first);
    for (let i = 0; i < 10_000; i += 1) ring.fieldKey(ring.currentKid, { ...scope, tenantId: `mch_${i}` });
    const again = ring.fieldKey(ring.currentKid, scope)!;
    expect(again).not.toBe(first);
    expect(again.commitment.equals(first.commitment)).toBe(true);
  });

  it('has nothing for a kid it does not hold', () => {
    expect(new KeyRing(newer).fieldKey(kidOf(older), scope)).toBeUndefined();
  });
});
