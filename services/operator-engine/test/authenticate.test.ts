import { sha256Hex } from '@zeq/crypto';
import { ServiceTokenSigner } from '@zeq/service-kit';
import { ALICE, type Engine, SECRET, startEngine } from './kit/engine.ts';

const KEY = `zsm_${'A'.repeat(43)}`;
const OLD_KEY = `zsm_${'B'.repeat(43)}`;

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({
    known: { [sha256Hex(KEY)]: { caller: ALICE as never }, [sha256Hex(OLD_KEY)]: 'expired' },
  });
});
afterAll(() => engine.stop());

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const catalogue = (options: object = {}) => engine.call('GET', '/api/zeq/operators/KO1', options);

describe('a caller without the gateway', () => {
  it('sees equations with a machine key, and the public fields without', async () => {
    expect((await catalogue(bearer(KEY))).body.equation).toBe('x(t) = x0 + v0*t + (1/2)*a*t^2');
    expect((await catalogue()).body.equation).toBeUndefined();
  });

  it('computes with the line that the guide prints', async () => {
    const res = await engine.call('POST', '/api/zeq/operators/execute?operator=KO1', {
      rawBody: '{"params":{"x":1}}',
      ...{ headers: { ...bearer(KEY).headers, 'content-type': 'application/json' } },
    });

    expect([res.status, res.body.value, res.body.unit]).toEqual([200, 1, 'm']);
  });

  it.each<[string, string, string]>([
    ['an unknown key', `Bearer zsm_${'Z'.repeat(43)}`, 'unauthorized'],
    ['an expired key', `Bearer ${OLD_KEY}`, 'token_expired'],
    ['an expired session', 'Bearer expired.session.token', 'token_expired'],
    ['a forged session', 'Bearer forged.session.token', 'unauthorized'],
    ['another scheme', 'Basic YWxpY2U6cHc=', 'unauthorized'],
    ['an empty token', 'Bearer ', 'unauthorized'],
    ['a token with a blank', `Bearer ${KEY} x`, 'unauthorized'],
    ['a name of the runtime', 'Bearer __proto__', 'unauthorized'],
  ])('is refused with %s, on the public route too', async (_what, authorization, code) => {
    const res = await catalogue({ headers: { authorization } });

    expect([res.status, res.body.code]).toEqual([401, code]);
    expect(res.headers.get('www-authenticate')).toBe('Bearer realm="zeq"');
  });
});

describe('a service token', () => {
  const sign = (iss: 'gateway' | 'forwarder', aud: 'operator-engine' | 'byok-vault', secret = SECRET) =>
    new ServiceTokenSigner(iss, secret).sign(aud, ALICE, 'alice');

  it.each([
    ['of another issuer', sign('forwarder', 'operator-engine')],
    ['for another service', sign('gateway', 'byok-vault')],
    [
      'under another secret',
      sign('gateway', 'operator-engine', 'another secret of more than thirty-two chars'),
    ],
    ['that is none', 'nonsense'],
  ])('%s is refused, and a key beside it does not help', async (_what, token) => {
    const res = await catalogue({ headers: { 'x-zeq-service': token, ...bearer(KEY).headers } });

    expect([res.status, res.body.code]).toEqual([401, 'unauthorized']);
  });
});

describe('the limit per address', () => {
  it('answers 429 with Retry-After to who comes directly, and leaves the gateway alone', async () => {
    const limited = await startEngine({ perMinute: 3 });
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++)
      statuses.push((await limited.call('GET', '/api/zeq/operators?limit=1')).status);
    const last = await limited.call('GET', '/api/zeq/operators?limit=1');
    const viaGateway = await limited.call('GET', '/api/zeq/operators?limit=1', { as: ALICE });
    const health = await limited.call('GET', '/health');
    await limited.stop();

    expect(statuses).toEqual([200, 200, 200, 429]);
    expect(last.body.code).toBe('rate_limited');
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(last.headers.get('ratelimit')).toMatch(/r=0/);
    expect([viaGateway.status, health.status]).toEqual([200, 200]);
  });
});

describe('health', () => {
  it('states the size of the catalogue, and is ready while the store answers', async () => {
    const health = await engine.call('GET', '/health');
    const ready = await engine.call('GET', '/ready');

    expect(health.body).toEqual({
      status: 'ok',
      service: 'operator-engine',
      version: expect.any(String),
      uptime: expect.any(Number),
      operators: 1146,
      categories: 70,
    });
    expect(ready.body).toEqual({ status: 'ready', service: 'operator-engine', missing: [] });
  });
});
