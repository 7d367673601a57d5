import { ApiView, DEFAULT_POLICY, PatchApi, Policy, PROVIDERS, RegisterApi } from '../src/index.ts';

describe('RegisterApi', () => {
  it('fills in the documented defaults', () => {
    const parsed = RegisterApi.parse({ name: 'openai', base_url: 'https://api.openai.com' });

    expect(parsed).toEqual({
      name: 'openai',
      base_url: 'https://api.openai.com',
      rate_limit_per_min: 60,
      extra_headers: {},
      policy: {},
    });
  });

  it.each(['api_x', 'mch_1', 'Upper', '', '-x', 'a'.repeat(64)])('refuses the name %j', (name) => {
    expect(RegisterApi.safeParse({ name }).success).toBe(false);
  });

  it('refuses a field that it does not know', () => {
    expect(RegisterApi.safeParse({ name: 'a', headers: {} }).success).toBe(false);
  });
});

describe('PatchApi', () => {
  it('leaves what is not sent undefined, so that a PATCH never resets a field', () => {
    expect(PatchApi.parse({ policy: { concurrency: 5 } })).toEqual({ policy: { concurrency: 5 } });
  });
});

describe('Policy', () => {
  it('accepts its own defaults', () => {
    expect(Policy.parse(DEFAULT_POLICY)).toEqual(DEFAULT_POLICY);
  });

  it('lets a model think for ten minutes', () => {
    expect(DEFAULT_POLICY.first_byte_timeout_ms).toBe(600_000);
  });
});

describe('ApiView', () => {
  it('has no field that could carry a credential', () => {
    const names = Object.keys(ApiView.shape);

    expect(names.filter((name) => /auth_header$|api_key|secret|token|password/.test(name))).toEqual([
      'has_auth_header',
    ]);
  });
});

describe('the provider presets', () => {
  it.each(Object.entries(PROVIDERS))(
    '%s has a test path, and a place for the key in its header',
    (_id, preset) => {
      expect(preset.testPath).toMatch(/^\//);
      if (preset.authHeader !== null) expect(preset.authHeader).toMatch(/^[A-Za-z-]+: .*\{key\}$/);
    },
  );
});
