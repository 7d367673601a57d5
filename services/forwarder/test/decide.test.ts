import { DEFAULT_POLICY, type Lease } from '@zeq/contracts';
import { LeaseRecipient, newId } from '@zeq/crypto';
import { egressRules } from '@zeq/egress';
import fc from 'fast-check';
import { type Ask, decide, describeDecision } from '../src/decision/decide.ts';
import { prepareLease } from '../src/leases/leased-api.ts';
import { ApiStates } from '../src/limits/api-state.ts';

const lease: Lease = {
  api_id: newId('api'),
  name: 'api',
  machine_id: newId('mch'),
  slug: 'alice',
  base_url: 'https://api.example.com/v1',
  rate_limit_per_min: 60,
  extra_headers: {},
  policy: DEFAULT_POLICY,
  auth_state: 'ok',
  auth_shape: null,
  credential: null,
};
const prepare = (change: Partial<Lease> = {}) =>
  prepareLease({ ...lease, ...change }, new LeaseRecipient(), egressRules(), new ApiStates().of('api', 0));
const owner = {
  kind: 'owner',
  machine_id: lease.machine_id,
  slug: 'alice',
  key_id: newId('key'),
  scope: 'owner',
} as const;
const ask = (change: Partial<Ask> = {}): Ask => ({
  caller: owner,
  method: 'GET',
  rest: '/x',
  hops: 0,
  ...change,
});

describe('decide', () => {
  it('states target, path, credential, limits and reason in one value', () => {
    const api = prepare();

    const decision = decide(ask({ rest: '/x?y=1' }), api);

    expect(decision).toEqual({
      allowed: true,
      api,
      url: expect.objectContaining({ origin: 'https://api.example.com', host: 'api.example.com', port: 443 }),
      method: 'GET',
      path: '/v1/x?y=1',
      inject: undefined,
      limits: DEFAULT_POLICY,
      limitsMethods: false,
      perMinute: 60,
      appPerMinute: null,
      reason: 'owner',
    });
    if (decision.allowed)
      expect(describeDecision(decision)).toBe(
        `owner; ${lease.api_id} at https://api.example.com; no credential`,
      );
  });

  it.each([
    ['a base URL that breaks the policy', {}, { base_url: 'https://10.0.0.1' }, 'egress_refused'],
    ['a base URL in clear text', {}, { base_url: 'http://api.example.com' }, 'egress_refused'],
    ['a path that climbs', { rest: '/../x' }, {}, 'invalid_path'],
    ['TRACE', { method: 'TRACE' }, {}, 'method_not_allowed'],
    ['a second hop', { hops: 2 }, {}, 'loop_detected'],
    ['a missing credential', {}, { auth_state: 'missing' }, 'credential_missing'],
    ['a broken credential', {}, { auth_state: 'needs_new_header' }, 'credential_unreadable'],
  ] as const)('refuses %s', (_what, asked, leased, code) => {
    expect(decide(ask(asked), prepare(leased))).toMatchObject({ allowed: false, code });
  });

  it('never lets a credential go anywhere but below the base URL, whatever is asked', () => {
    const api = prepare();
    const piece = fc.constantFrom(
      '/',
      '..',
      '%2e',
      '@evil.example',
      '//',
      '\\',
      '?',
      '#',
      ':443',
      'x',
      '%2f',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        const decision = decide(ask({ rest: pieces.join('') }), api);
        if (!decision.allowed) return;
        const target = new URL(`${decision.url.origin}${decision.path}`);
        expect([target.hostname, target.pathname.startsWith('/v1/')]).toEqual(['api.example.com', true]);
      }),
      { numRuns: 2_000 },
    );
  });
});
