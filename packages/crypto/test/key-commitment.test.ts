import { createHash } from 'node:crypto';
import { CommitmentError, type FieldKey, gcmOpen, openCommitted } from '../src/index.ts';
import { bytes, readJson, secret } from './published.ts';

interface TwoKeys {
  case: string;
  key_a: string;
  key_b: string;
  iv: string;
  aad_a: string;
  aad_b: string;
  ct: string;
  tag: string;
  msg_a: string;
  msg_b: string;
}
const { tests } = readJson<{ tests: TwoKeys[] }>('gcm-key-commitment.json');

describe.each(tests)('a ciphertext that opens under two keys ($case)', (test) => {
  const a = fieldKey(test.key_a);
  const b = fieldKey(test.key_b);
  const body = Buffer.concat([bytes(test.ct), bytes(test.tag)]);
  const iv = bytes(test.iv);

  it('opens under both in plain AES-256-GCM: the hazard is real', () => {
    const plain = (key: FieldKey, aad: string) =>
      gcmOpen(key.key, iv, bytes(aad), bytes(test.ct), bytes(test.tag));

    expect(plain(a, test.aad_a).toString('hex')).toBe(test.msg_a);
    expect(plain(b, test.aad_b).toString('hex')).toBe(test.msg_b);
  });

  it('opens only under the key it was sealed with once it carries its commitment', () => {
    const sealed = Buffer.concat([a.commitment, body]);

    expect(openCommitted(a, iv, bytes(test.aad_a), sealed).toString('hex')).toBe(test.msg_a);
    expect(() => openCommitted(b, iv, bytes(test.aad_b), sealed)).toThrow(CommitmentError);
  });

  it('does not open under the first key with the commitment of the second', () => {
    const sealed = Buffer.concat([b.commitment, body]);

    expect(() => openCommitted(a, iv, bytes(test.aad_a), sealed)).toThrow(CommitmentError);
  });

  it('does not open without a commitment', () => {
    expect(() => openCommitted(a, iv, bytes(test.aad_a), body)).toThrow(CommitmentError);
    expect(() => openCommitted(b, iv, bytes(test.aad_b), body)).toThrow(CommitmentError);
  });
});

/** Any commitment that is a function of the key will do here; the ring's own comes out of the same HKDF as its key. */
function fieldKey(hex: string): FieldKey {
  const commitment = createHash('sha256').update('commitment').update(bytes(hex)).digest();
  return { key: secret(hex), commitment };
}
