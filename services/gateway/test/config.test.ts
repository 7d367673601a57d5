import { readConfig } from '../src/config.ts';
import { settings } from './kit/gateway.ts';

const messageOf = (env: NodeJS.ProcessEnv): string => {
  try {
    readConfig(env);
    return '';
  } catch (err) {
    return (err as Error).message;
  }
};

describe('readConfig', () => {
  it('reads what is needed, and has a default for the rest', () => {
    const { SYNC_URL: _s, ZEQOND_URL: _z, RATE_LIMIT_RPM: _r, ALLOWED_ORIGINS: _o, ...rest } = settings();

    expect(readConfig(rest)).toMatchObject({
      GATEWAY_PORT: 4000,
      FORWARDER_URL: 'http://127.0.0.1:4003',
      RATE_LIMIT_RPM: 100,
      ALLOWED_ORIGINS: [],
      ZEQ_TRUSTED_PROXIES: [],
    });
  });

  it('names everything that is missing at once, and how to make it', () => {
    const message = messageOf({});

    for (const name of ['ZEQ_INTERNAL_SECRET', 'JWT_SECRET', 'ZEQ_API_KEYS', 'ZEQ_ADMIN_KEYS'])
      expect(message).toContain(`${name} is missing; make one: openssl rand -hex 32`);
  });

  it.each([
    [
      '* in production',
      { NODE_ENV: 'production', ALLOWED_ORIGINS: '*' },
      'ALLOWED_ORIGINS must not hold * in production',
    ],
    [
      'a page instead of an origin',
      { ALLOWED_ORIGINS: 'https://a.example/x' },
      'ALLOWED_ORIGINS must be a comma list of origins',
    ],
    [
      'an origin with a slash',
      { ALLOWED_ORIGINS: 'https://a.example/' },
      'ALLOWED_ORIGINS must be a comma list of origins',
    ],
    ['a short key', { ZEQ_API_KEYS: 'short' }, 'ZEQ_API_KEYS must be a comma list of keys of at least 16'],
    ['an empty list', { ZEQ_ADMIN_KEYS: ' , ' }, 'ZEQ_ADMIN_KEYS is empty'],
    [
      'one key for both',
      { ZEQ_ADMIN_KEYS: settings().ZEQ_API_KEYS },
      'ZEQ_ADMIN_KEYS must share no key with ZEQ_API_KEYS',
    ],
    [
      'one secret for both',
      { JWT_SECRET: settings().ZEQ_INTERNAL_SECRET },
      'JWT_SECRET must not equal ZEQ_INTERNAL_SECRET',
    ],
    [
      'the same secret twice',
      { JWT_SECRET_PREV: settings().JWT_SECRET },
      'JWT_SECRET_PREV must not equal JWT_SECRET',
    ],
    ['a limit of nothing', { RATE_LIMIT_RPM: '0' }, 'RATE_LIMIT_RPM must be at least 1'],
    ['a limit that is no number', { RATE_LIMIT_RPM: 'many' }, 'RATE_LIMIT_RPM must be a whole number'],
    [
      'a proxy that is no address',
      { ZEQ_TRUSTED_PROXIES: 'nginx' },
      'ZEQ_TRUSTED_PROXIES must be a comma list of addresses',
    ],
    [
      'a forwarder that is nowhere',
      { FORWARDER_URL: 'ftp://x' },
      'FORWARDER_URL must be an http:// address or unix:/path/of.sock',
    ],
  ])('refuses %s', (_what, env, wanted) => {
    const message = messageOf({ ...settings(), ...env });

    expect(message).toContain(wanted);
    for (const value of Object.values(env))
      if (String(value).length > 10 && value !== '*') expect(message).not.toContain(value);
  });

  it.each(['https://zeq.example.com', 'zeq.example.com', 'https://ZEQ.example.com/'])(
    'takes the host of DOMAIN=%s',
    (DOMAIN) => {
      expect(readConfig({ ...settings(), DOMAIN }).DOMAIN).toBe('zeq.example.com');
    },
  );
});
