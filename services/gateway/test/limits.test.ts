import { jest } from '@jest/globals';
import { mintToken } from '@zeq/crypto';
import { ADMIN_KEY, call, PLATFORM_KEY, type Reply, type Rig, startRig } from './kit/gateway.ts';
import { owner, type Person } from './kit/people.ts';

const LIMIT = 20;

// Hundreds of requests, on a machine that may be busy with other tests.
jest.setTimeout(60_000);

describe('limits per address', () => {
  let rig: Rig;
  let alice: Person;
  beforeEach(async () => {
    rig = await startRig({ env: { RATE_LIMIT_RPM: String(LIMIT), ZEQ_TRUSTED_PROXIES: '127.0.0.1' } });
    alice = rig.register.add(owner('alice'));
  });
  afterEach(() => rig.stop());

  const forward = (headers: Record<string, string> = {}) =>
    call(`${rig.url}/api/zeq/apis/alice/openai/forward/v1`, {
      headers: { authorization: `Bearer ${alice.token}`, ...headers },
    });
  const list = () =>
    call(`${rig.url}/api/zeq/apis/alice`, { headers: { authorization: `Bearer ${alice.token}` } });
  const statuses = (replies: Reply[]) => replies.map(({ status }) => status);
  const times = <T>(n: number, one: (i: number) => Promise<T>) =>
    Promise.all(Array.from({ length: n }, (_, i) => one(i)));

  it('count calls and control requests in one window', async () => {
    const passed = statuses([
      ...(await times(LIMIT / 2, forward.bind(null, {}))),
      ...(await times(LIMIT / 2, list)),
    ]);
    const [call, control] = [await forward(), await list()];

    expect(passed).toEqual(Array(LIMIT).fill(200));
    for (const reply of [call, control]) {
      expect(reply.json()).toMatchObject({ status: 429, code: 'rate_limited' });
      expect(Number(reply.headers['retry-after'])).toBeGreaterThan(50);
      expect(reply.headers.ratelimit).toMatch(/^"per-address"; ?r=0; ?t=\d+$/);
      expect(reply.headers['ratelimit-policy']).toMatch(/^"per-address"; ?q=20; ?w=60/);
    }
  });

  it('let exactly as many of 200 calls at once through as they allow', async () => {
    const replies = await times(200, () => forward());

    expect(replies.filter(({ status }) => status === 200)).toHaveLength(LIMIT);
  });

  it('count by the address that nginx states, not by what a client writes in front of it', async () => {
    await times(LIMIT, (i) => forward({ 'x-forwarded-for': `203.0.113.${i}, 198.51.100.1` }));

    const same = await forward({ 'x-forwarded-for': '198.51.100.1' });
    const other = await forward({ 'x-forwarded-for': '198.51.100.2' });

    expect([same.status, other.status]).toEqual([429, 200]);
  });

  it('count requests without any credential, but no probes of health', async () => {
    await times(LIMIT, () => call(`${rig.url}/api/zeq/apis/alice`));
    const probes = await times(30, () => call(`${rig.url}/health`));

    expect((await call(`${rig.url}/api/zeq/apis/alice`)).status).toBe(429);
    expect(statuses(probes)).toEqual(Array(30).fill(200));
  });

  it('let ten machines be created in a minute', async () => {
    const replies = await times(11, () =>
      call(`${rig.url}/api/zeq/machines`, {
        method: 'POST',
        headers: { 'x-api-key': PLATFORM_KEY, 'content-type': 'application/json' },
        body: '{}',
      }),
    );

    expect(statuses(replies).sort()).toEqual([...Array(10).fill(200), 429]);
  });

  it.each([
    ['tokens', () => ({ authorization: `Bearer ${mintToken('zsm_').token}` })],
    ['platform keys', () => ({ 'x-api-key': mintToken('zsm_').token.slice(4) })],
  ])('slow an address that guesses %s, and never stop the right one from there', async (_what, guess) => {
    const path = _what === 'tokens' ? '/api/zeq/apis/alice' : '/api/v1/status';

    const guesses = await times(100, () => call(`${rig.url}${path}`, { headers: guess() }));
    const right = await forward();
    const platform = await call(`${rig.url}/api/v1/status`, { headers: { 'x-api-key': PLATFORM_KEY } });
    const operator = await call(`${rig.url}/metrics`, { headers: { 'x-admin-key': ADMIN_KEY } });

    const refused = statuses(guesses);
    expect(refused.filter((status) => status === 401)).toHaveLength(LIMIT);
    expect(refused.filter((status) => status === 429)).toHaveLength(100 - LIMIT);
    expect(statuses([right, platform, operator])).toEqual([200, 200, 200]);
  });
});
