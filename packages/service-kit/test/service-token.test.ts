import type { Caller } from '@zeq/contracts';
import jwt from 'jsonwebtoken';
import { ServiceTokenSigner, ServiceTokenVerifier } from '../src/index.ts';

const SECRET = 'a'.repeat(64);
const OTHER = 'b'.repeat(64);
const caller: Caller = { kind: 'platform' };

describe('service tokens', () => {
  it('carry the caller from one service to the one they are meant for', () => {
    const token = new ServiceTokenSigner('gateway', SECRET).sign('byok-vault', caller, 'platform');

    const claims = new ServiceTokenVerifier('byok-vault', [SECRET]).verify(token, ['gateway']);

    expect(claims).toEqual({
      iss: 'gateway',
      aud: 'byok-vault',
      caller,
      iat: expect.any(Number),
      exp: expect.any(Number),
    });
    expect(claims!.exp - claims!.iat).toBe(60);
  });

  it('are signed once per caller and reused', () => {
    const signer = new ServiceTokenSigner('gateway', SECRET);

    expect(signer.sign('forwarder', caller, 'platform')).toBe(signer.sign('forwarder', caller, 'platform'));
    expect(signer.sign('forwarder', caller, 'platform')).not.toBe(
      signer.sign('byok-vault', caller, 'platform'),
    );
  });

  it('are refused by another service, from another issuer, under another secret, and when missing', () => {
    const token = new ServiceTokenSigner('gateway', SECRET).sign('byok-vault', caller, 'platform');

    expect(new ServiceTokenVerifier('forwarder', [SECRET]).verify(token, ['gateway'])).toBeUndefined();
    expect(new ServiceTokenVerifier('byok-vault', [SECRET]).verify(token, ['forwarder'])).toBeUndefined();
    expect(new ServiceTokenVerifier('byok-vault', [OTHER]).verify(token, ['gateway'])).toBeUndefined();
    expect(new ServiceTokenVerifier('byok-vault', [SECRET]).verify(undefined, ['gateway'])).toBeUndefined();
  });

  it('are accepted under either of two secrets while one is being changed', () => {
    const token = new ServiceTokenSigner('gateway', OTHER).sign('byok-vault', caller, 'platform');

    expect(
      new ServiceTokenVerifier('byok-vault', [SECRET, OTHER]).verify(token, ['gateway'])?.caller,
    ).toEqual(caller);
  });

  it.each([
    ['unsigned', (payload: object) => jwt.sign(payload, null, { algorithm: 'none' })],
    ['signed with another algorithm', (payload: object) => jwt.sign(payload, SECRET, { algorithm: 'HS512' })],
    ['over', (payload: object) => jwt.sign({ ...payload, iat: 1000, exp: 1060 }, SECRET)],
    ['without an end', (payload: object) => jwt.sign({ ...payload, iat: 1000 }, SECRET)],
    [
      'for a longer life than 60 s',
      (payload: object) =>
        jwt.sign(
          { ...payload, iat: Math.floor(Date.now() / 1000) - 200, exp: Math.floor(Date.now() / 1000) + 200 },
          SECRET,
        ),
    ],
  ])('are refused when %s', (_what, make) => {
    const token = make({ iss: 'gateway', aud: 'byok-vault', caller });

    expect(new ServiceTokenVerifier('byok-vault', [SECRET]).verify(token, ['gateway'])).toBeUndefined();
  });
});
