import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigError, commaList, parseEnv, port, serviceUrl, sharedSecret } from '../src/index.ts';

const Env = z.object({
  A_PORT: port(4000),
  A_SECRET: sharedSecret,
  A_URL: serviceUrl('http://127.0.0.1:1'),
  A_LIST: commaList.optional(),
});
const SECRET = 'correct-horse-battery-staple-and-more';
const folder = mkdtempSync(join(tmpdir(), 'zeq-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const problemsOf = (env: NodeJS.ProcessEnv): string => {
  try {
    parseEnv('a-service', Env, env);
  } catch (err) {
    if (err instanceof ConfigError) return err.message;
    throw err;
  }
  return '';
};

describe('parseEnv', () => {
  it('reads values and fills in defaults', () => {
    const config = parseEnv('a-service', Env, {
      A_SECRET: SECRET,
      A_LIST: ' a, b,,c ',
      A_URL: 'http://vault:4002/',
    });

    expect(config).toEqual({
      A_PORT: 4000,
      A_SECRET: SECRET,
      A_LIST: ['a', 'b', 'c'],
      A_URL: 'http://vault:4002',
    });
  });

  it('takes an empty string for an unset variable, as compose passes it', () => {
    expect(parseEnv('a-service', Env, { A_SECRET: SECRET, A_PORT: '', A_LIST: '' }).A_PORT).toBe(4000);
  });

  it('reads NAME_FILE, without the newline at its end', () => {
    const file = join(folder, 'secret');
    writeFileSync(file, `${SECRET}\n`);

    expect(parseEnv('a-service', Env, { A_SECRET_FILE: file }).A_SECRET).toBe(SECRET);
  });

  it('names every problem at once and shows no value', () => {
    const text = problemsOf({ A_PORT: '99999', A_SECRET: 'short-but-secret', A_URL: 'ftp://x' });

    expect(text.split('\n')).toEqual([
      'a-service cannot start. Fix these settings:',
      '  A_PORT must be a port, 1 to 65535',
      '  A_SECRET must be at least 32 characters; make one: openssl rand -hex 32',
      '  A_URL must be an http:// or https:// address, for example http://127.0.0.1:1',
    ]);
  });

  it('says so when a variable is missing, given twice, or its file cannot be read', () => {
    expect(problemsOf({})).toContain('A_SECRET is missing; make one');
    expect(problemsOf({ A_SECRET: SECRET, A_SECRET_FILE: '/x' })).toContain(
      'A_SECRET_FILE and A_SECRET are both set; keep one',
    );
    expect(problemsOf({ A_SECRET_FILE: join(folder, 'nowhere') })).toContain(
      'A_SECRET_FILE names a file that cannot be read',
    );
  });
});
