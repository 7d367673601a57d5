import { type ApiView, DEFAULT_POLICY } from '@zeq/contracts';
import { formOf, settingsFaults, toPatch } from '../src/detail/settings-form.ts';

const api: ApiView = {
  id: 'api_0123456789012345678901',
  name: 'openai',
  provider: 'openai',
  base_url: 'https://api.openai.com',
  has_auth_header: true,
  auth_hint: '…abcd',
  auth_shape: { type: 'header', name: 'Authorization' },
  auth_state: 'ok',
  warnings: [],
  rate_limit_per_min: 60,
  extra_headers: {},
  policy: DEFAULT_POLICY,
  schema: null,
  test_path: '/v1/models',
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: '2026-01-01T00:00:00.000Z',
};

describe('toPatch', () => {
  it('asks for nothing when nothing was changed', () => {
    expect(toPatch(formOf(api), api)).toEqual({});
  });

  it('does not set an odd size back to a rounded one', () => {
    const odd = { ...api, policy: { ...DEFAULT_POLICY, max_body_bytes: 12_345_678 } };

    expect(toPatch(formOf(odd), odd)).toEqual({});
  });

  it('asks for just what was changed, in the units of the API', () => {
    const form = {
      ...formOf(api),
      ratePerMinute: '90',
      idleSeconds: '1.5',
      methods: 'get, post',
      paths: '/v1/\n/v2/',
    };

    expect(toPatch(form, api)).toEqual({
      rate_limit_per_min: 90,
      policy: {
        idle_timeout_ms: 1500,
        allowed_methods: ['GET', 'POST'],
        allowed_path_prefixes: ['/v1/', '/v2/'],
      },
    });
  });
});

describe('settingsFaults', () => {
  it('finds nothing in what the mesh itself has sent', () => {
    expect(settingsFaults(formOf(api))).toEqual({});
  });

  it('names what cannot be right', () => {
    const form = { ...formOf(api), name: 'UP', concurrency: '0', paths: 'v1' };

    expect(Object.keys(settingsFaults(form)).sort()).toEqual(['concurrency', 'name', 'paths']);
  });
});
