import { createSecretKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import jwt from 'jsonwebtoken';
import { ServiceTokenVerifier } from '../src/index.ts';

interface Group {
  private: { kty: string; k?: string; alg?: string };
  publicKeyPem?: string;
  public?: unknown;
  tests: { tcId: number; comment: string; jws: unknown; result: 'valid' | 'invalid' }[];
}

const FILE = new URL('./vectors/wycheproof/json_web_signature_test.json', import.meta.url);
const { testGroups } = JSON.parse(readFileSync(FILE, 'utf8')) as { testGroups: Group[] };
const all = testGroups.flatMap((group) => group.tests.map((test) => ({ group, test })));
const hs256 = all.filter(({ group }) => group.private.kty === 'oct');
const asymmetric = all.filter(({ group }) => group.private.kty !== 'oct');

/** Where our verdict on an HS256 token differs from the file's, and why that is right. */
const DIFFERENT: Record<number, string> = {
  367: 'the same bytes as the valid token 357: the padding it speaks of is not in the file',
  370: 'the same bytes as the valid token 357',
  372: 'a stray character in the header, which the file tolerates: refused',
  373: 'a stray character in the payload, which the file tolerates: refused',
  375: 'unused bits in the payload, under a valid MAC: only a holder of the secret can make it',
};

describe('tokens under HS256, as every one of ours is verified', () => {
  it('are accepted and refused as Wycheproof says, but for five whose reason is known', () => {
    const different = hs256.filter(({ group, test }) => {
      const accepted = verifies(test.jws, Buffer.from(group.private.k!, 'base64url'));
      return accepted !== (test.result === 'valid');
    });

    expect(hs256).toHaveLength(40);
    expect(different.map(({ test }) => String(test.tcId))).toEqual(Object.keys(DIFFERENT));
  });

  it('are refused under any other algorithm: 361 tokens, with the public key as the secret as well', () => {
    const accepted = asymmetric.filter(({ group, test }) =>
      [
        JSON.stringify(group.public ?? group.private),
        group.publicKeyPem ?? 'x'.repeat(32),
        'x'.repeat(32),
      ].some((secret) => verifies(test.jws, Buffer.from(secret))),
    );

    expect(asymmetric).toHaveLength(361);
    expect(accepted).toEqual([]);
  });
});

describe('ServiceTokenVerifier', () => {
  it('refuses all 401 tokens', () => {
    for (const { group, test } of all) {
      const verifier = new ServiceTokenVerifier('byok-vault', [group.private.k ?? 'x'.repeat(32)]);
      expect(verifier.verify(test.jws as string, ['gateway', 'forwarder'])).toBeUndefined();
    }
  });
});

function verifies(token: unknown, secret: Buffer): boolean {
  try {
    jwt.verify(token as string, createSecretKey(secret), { algorithms: ['HS256'] });
    return true;
  } catch (err) {
    if (err instanceof jwt.JsonWebTokenError) return false;
    throw err;
  }
}
