import { ConfigError } from '@zeq/service-kit';
import { Env, readConfig } from '../src/config.ts';

const KEY = 'a3f1c29b7d5e8046b1d2e3f4059687a9bacbdcedfe0f1a2b3c4d5e6f70819203';
const OTHER = '5c0b7e9142d8f36ab1c07d44e92f5a683b1e0d9c8f7a6b5c4d3e2f1a0b9c8d7e';
const GOOD = { ZEQ_FIELD_KEY: KEY, ZEQ_INTERNAL_SECRET: 'between-the-services-0123456789abcdef' };

function problemsOf(env: Record<string, string>): string[] {
  try {
    readConfig(env);
  } catch (err) {
    expect(err).toBeInstanceOf(ConfigError);
    return (err as Error).message.split('\n').slice(1);
  }
  return [];
}

describe('readConfig', () => {
  it('needs a master key and the secret between the services, and nothing else', () => {
    expect(readConfig(GOOD)).toMatchObject({ VAULT_PORT: 4002, ZEQ_BIND: '127.0.0.1', ZEQ_DATA_DIR: '.zeq' });
    expect(problemsOf({})).toEqual([
      '  ZEQ_INTERNAL_SECRET is missing; make one: openssl rand -hex 32',
      '  ZEQ_FIELD_KEY is missing; make one: openssl rand -hex 32',
    ]);
  });

  it.each([
    ['31 bytes', KEY.slice(2), 'too short'],
    ['33 bytes', `${KEY}ab`, 'too long'],
    ['hex of 16 bytes', KEY.slice(0, 32), 'too short'],
    ['all zero', '0'.repeat(64), 'repeats a pattern'],
    ['counting digits', '0123456789abcdef'.repeat(4), 'repeats a pattern'],
    ['counting bytes', Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('hex'), 'counts up'],
    ['a published sample', '603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4', 'published'],
    ['a pass phrase', Buffer.from('correct horse battery staple, ok').toString('hex'), 'text'],
    ['no hex', 'x'.repeat(64), '64 hex digits'],
  ])('refuses a master key that is %s', (_what, key, why) => {
    const [line, ...more] = problemsOf({ ...GOOD, ZEQ_FIELD_KEY: key });

    expect(line).toMatch(/^ {2}ZEQ_FIELD_KEY /);
    expect(line).toContain(why);
    expect(more).toEqual([]);
  });

  it.each(['ZEQ_FIELD_KEY_PREV', 'JWT_SECRET', 'ZEQ_INTERNAL_SECRET', 'ZEQ_INTERNAL_SECRET_PREV'])(
    'refuses a master key that is also %s, in either case of its digits',
    (name) => {
      expect(problemsOf({ ...GOOD, [name]: KEY.toUpperCase() })).toEqual([
        `  ZEQ_FIELD_KEY must not be the same as ${name}; make one: openssl rand -hex 32`,
      ]);
    },
  );

  it('says everything that is wrong at once, and no value', () => {
    const env = {
      ZEQ_FIELD_KEY: KEY,
      ZEQ_FIELD_KEY_PREV: 'not a key at all',
      JWT_SECRET: KEY,
      VAULT_PORT: '70000',
      DATABASE_URL: 'mysql://somewhere',
      ZEQ_EGRESS_ALLOW: '10.0.0.0/8,???',
      OPENAI_API_KEY: 'short',
    };

    const problems = problemsOf(env);

    expect(problems.map((line) => line.trim().split(' ')[0])).toEqual([
      'ZEQ_INTERNAL_SECRET',
      'VAULT_PORT',
      'DATABASE_URL',
      'ZEQ_FIELD_KEY_PREV',
      'ZEQ_EGRESS_ALLOW',
      'OPENAI_API_KEY',
      'ZEQ_FIELD_KEY',
    ]);
    for (const value of [KEY, 'not a key at all', 'mysql', '70000', 'short!'])
      expect(problems.join('\n')).not.toContain(value);
  });

  it('takes a weak previous key, because rotation is the way out of it', () => {
    expect(problemsOf({ ...GOOD, ZEQ_FIELD_KEY_PREV: '0'.repeat(64) })).toEqual([]);
    expect(problemsOf({ ...GOOD, ZEQ_FIELD_KEY_PREV: OTHER })).toEqual([]);
  });

  it('reads the host out of DOMAIN, with or without a scheme', () => {
    expect(readConfig({ ...GOOD, DOMAIN: 'https://mesh.example.com' }).DOMAIN).toBe('mesh.example.com');
    expect(readConfig({ ...GOOD, DOMAIN: 'Mesh.example.com' }).DOMAIN).toBe('mesh.example.com');
  });

  it('names its variables once, for those who start it', () => {
    expect(Object.keys(Env.shape)).toContain('ZEQ_FIELD_KEY');
  });
});
