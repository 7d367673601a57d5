import * as nodeCrypto from 'node:crypto';
import { jest } from '@jest/globals';

/**
 * The runtime's random source, which can be broken; the rest of node:crypto is as it is. Nothing of ours is imported above this
 * line: it would keep the source that works.
 */
jest.unstable_mockModule('node:crypto', () => ({
  ...nodeCrypto,
  default: nodeCrypto,
  randomBytes: broken,
}));

let entropy = true;
function broken(size: number): Buffer {
  if (!entropy) throw new Error('no entropy');
  return nodeCrypto.randomBytes(size);
}

describe('a random source that fails', () => {
  it('fails the write: no field, no lease, no token and no id comes out', async () => {
    const { somePlace } = await import('./places.ts');
    const crypto = await import('../src/index.ts');
    const ring = new crypto.KeyRing(Buffer.from('c0ffee'.padEnd(64, '1'), 'hex'));
    const { publicKey } = new crypto.LeaseRecipient();

    entropy = false;

    expect(() => crypto.encryptField(ring, somePlace(), 'x')).toThrow('no entropy');
    expect(() => crypto.sealLease(Buffer.from('x'), publicKey, Buffer.alloc(0))).toThrow('no entropy');
    expect(() => crypto.mintToken('zsm_')).toThrow('no entropy');
    expect(() => crypto.newId('api')).toThrow('no entropy');
  });
});
