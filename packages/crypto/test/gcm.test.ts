import { createDecipheriv, createSecretKey } from 'node:crypto';
import { GcmError, gcmOpen, gcmSeal } from '../src/index.ts';
import { bytes, cavp, secret, wycheproof } from './published.ts';

interface AeadGroup {
  ivSize: number;
  keySize: number;
  tagSize: number;
}
interface AeadTest {
  tcId: number;
  key: string;
  iv: string;
  aad: string;
  msg: string;
  ct: string;
  tag: string;
  result: 'valid' | 'invalid';
}

const inProfile = ({ keySize, ivSize, tagSize }: AeadGroup) =>
  keySize === 256 && ivSize === 96 && tagSize === 128;

describe('AES-256-GCM against Wycheproof', () => {
  const all = wycheproof<AeadTest, AeadGroup>('aes_gcm_test.json');

  it('agrees with every vector of its profile, both ways', () => {
    const mine = all.filter(({ group }) => inProfile(group));

    for (const { test } of mine) {
      const open = () =>
        gcmOpen(secret(test.key), bytes(test.iv), bytes(test.aad), bytes(test.ct), bytes(test.tag));
      if (test.result === 'invalid') {
        expect(open).toThrow(GcmError);
        continue;
      }
      expect(open().toString('hex')).toBe(test.msg);
      const sealed = gcmSeal(secret(test.key), bytes(test.iv), bytes(test.aad), bytes(test.msg));
      expect(sealed.toString('hex')).toBe(test.ct + test.tag);
    }
    expect(mine).toHaveLength(66);
  });

  it('refuses every other key, IV and tag length before a cipher is made', () => {
    const others = all.filter(({ group }) => !inProfile(group));

    for (const { test } of others) {
      const args = [secret(test.key), bytes(test.iv), bytes(test.aad)] as const;
      expect(() => gcmOpen(...args, bytes(test.ct), bytes(test.tag))).toThrow(RangeError);
    }
    expect(others).toHaveLength(250);
  });
});

describe('AES-256-GCM against NIST CAVP', () => {
  it('encrypts all 375 records as NIST did', () => {
    const records = cavp('gcmEncryptExtIV256.iv96-tag128.rsp');

    for (const { Key, IV, AAD, PT, CT, Tag } of records) {
      expect(gcmSeal(secret(Key), bytes(IV), bytes(AAD), bytes(PT)).toString('hex')).toBe(`${CT}${Tag}`);
    }
    expect(records).toHaveLength(375);
  });

  it('decrypts 184 of 375 records and refuses the 191 that must fail', () => {
    const records = cavp('gcmDecrypt256.iv96-tag128.rsp');
    const failing = records.filter((record) => 'FAIL' in record);

    for (const record of records) {
      if (failing.includes(record)) expect(() => openRecord(record)).toThrow(GcmError);
      else expect(openRecord(record).toString('hex')).toBe(record.PT);
    }
    expect([records.length, failing.length]).toEqual([375, 191]);
  });

  it('accepts none of the 450 records with a short tag, 220 of which Node alone would accept', () => {
    const records = cavp('gcmDecrypt256.iv96-shorttags.rsp');

    for (const record of records)
      expect(() => openRecord(record)).toThrow(/^tag: expected 16 bytes, got \d+$/);

    expect([records.length, records.filter(opensInBareNode).length]).toEqual([450, 220]);
  });

  it('accepts none of the 150 records with another IV length, 73 of which Node alone would accept', () => {
    const records = cavp('gcmDecrypt256.iv-other.rsp');

    for (const record of records)
      expect(() => openRecord(record)).toThrow(/^iv: expected 12 bytes, got \d+$/);

    expect([records.length, records.filter(opensInBareNode).length]).toEqual([150, 73]);
  });
});

describe('gcmOpen', () => {
  it('refuses a key that is not a secret of 32 bytes', () => {
    const none = new Uint8Array(0);
    const short = createSecretKey(Buffer.alloc(16, 1));

    expect(() => gcmOpen(short, Buffer.alloc(12), none, none, Buffer.alloc(16))).toThrow(
      'key: expected 32 bytes, got 16',
    );
    expect(() => gcmSeal(short, Buffer.alloc(12), none, none)).toThrow('key: expected 32 bytes, got 16');
  });
});

const openRecord = ({ Key, IV, AAD, CT, Tag }: Record<string, string>): Buffer =>
  gcmOpen(secret(Key), bytes(IV), bytes(AAD), bytes(CT), bytes(Tag));

/** What `node:crypto` does when nobody tells it a tag length: the reason for our own checks. */
function opensInBareNode({ Key, IV, AAD, CT, Tag }: Record<string, string>): boolean {
  try {
    const decipher = createDecipheriv('aes-256-gcm', bytes(Key), bytes(IV), {
      authTagLength: bytes(Tag).length,
    });
    decipher.setAAD(bytes(AAD)).setAuthTag(bytes(Tag));
    decipher.update(bytes(CT));
    decipher.final();
    return true;
  } catch {
    return false;
  }
}
