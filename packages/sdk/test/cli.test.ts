import { readFileSync } from 'node:fs';
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { COMMANDS } from '../src/cli/commands/index.ts';
import { EXIT_TEXTS, exitCodeOf } from '../src/cli/exit-codes.ts';
import { GLOBAL_OPTIONS } from '../src/cli/parse.ts';
import { Profiles } from '../src/cli/settings/profiles.ts';
import { VERSION } from '../src/cli/version.ts';
import { ZeqError } from '../src/index.ts';
import { openCli } from './kit/cli.ts';

let cli: Awaited<ReturnType<typeof openCli>>;
beforeEach(async () => {
  cli = await openCli();
});
afterEach(() => cli.close());

const CANARY = 'zsm_canary4f7Q2Lw9Xv4Rt0Yp6Nm3Bc8Df5Gj1';

describe('zeq', () => {
  it('is of the version of its package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

    expect(VERSION).toBe(version);
    expect(await cli.zeq(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
  });

  it('lists every command and every exit code', async () => {
    const { code, stdout } = await cli.zeq(['--help']);

    expect(code).toBe(0);
    for (const { name } of COMMANDS) expect(stdout).toContain(`  ${name} `);
    for (const [exitCode, text] of EXIT_TEXTS)
      expect(stdout).toMatch(new RegExp(`\\n  ${exitCode} +${text.slice(0, 12)}`));
  });

  it.each(COMMANDS.map(({ name }) => name))(
    'explains %s with every option, and does nothing else',
    async (name) => {
      const { options = {} } = COMMANDS.find((one) => one.name === name)!;

      const { code, stdout, stderr } = await cli.zeq([...name.split(' '), '--help']);

      expect([code, stderr]).toEqual([0, '']);
      for (const option of Object.keys({ ...options, ...GLOBAL_OPTIONS }))
        expect(stdout).toContain(`--${option}`);
    },
  );

  it('has no option that two commands or the global ones mean differently', () => {
    for (const { name, options = {} } of COMMANDS)
      for (const option of Object.keys(options))
        expect([name, option in GLOBAL_OPTIONS]).toEqual([name, false]);
  });

  it.each([
    [[], 2, ''],
    [['bogus'], 2, 'there is no such command'],
    [['apis'], 2, 'apis: which one? list, show, rm, add, test, rotate'],
    [['--json'], 2, 'options come after the command'],
    [['call', 'openai'], 2, '<path> is missing'],
    [['logout', 'one'], 2, 'too many arguments: at most 0'],
    [['call', 'openai', '/', '--nope'], 2, "Unknown option '--nope'"],
    [['ticks', '--count', 'many'], 2, '--count must be a whole number from 1 to 1000000000'],
    [['usage', 'openai', '--step', 'year'], 2, '--step must be one of: minute, hour, day'],
    [['completion', 'tcsh'], 2, 'the shell must be bash, zsh or fish'],
    [['apis', 'list'], 2, 'which mesh? Run `zeq login`'],
    [['apis', 'list', '--url', 'http://127.0.0.1:9'], 2, 'not signed in at http://127.0.0.1:9'],
    [['apis', 'list', '--profile', 'work'], 2, 'there is no sign-in called work'],
    [['status', '--url', 'http://127.0.0.1:9'], 3, 'The mesh cannot be reached'],
    [['hite', 'encrypt', '/nowhere/at/all'], 1, '/nowhere/at/all cannot be read (ENOENT)'],
    [['verify', 'ticks', '/nowhere'], 1, '/nowhere cannot be read (ENOENT)'],
  ])('answers %j with exit code %i', async (words, code, said) => {
    const ran = await cli.zeq(words);

    expect([ran.code, ran.stderr]).toEqual([code, expect.stringContaining(said)]);
    expect(ran.stderr).not.toMatch(/\n\s+at /);
  });

  it('says errors as JSON when it was asked to', async () => {
    const { stderr } = await cli.zeq(['apis', 'list', '--json']);

    expect(JSON.parse(stderr)).toEqual({
      error: { code: 'usage', detail: expect.stringContaining('which mesh?') },
    });
  });

  it.each([['--key', CANARY], ['--header', `Authorization: ${CANARY}`], [`--passphrase=${CANARY}`]])(
    'repeats nothing of an option that does not exist: %s',
    async (...words) => {
      const { code, stdout, stderr } = await cli.zeq(['apis', 'add', 'x', ...words]);

      expect(code).toBe(2);
      expect(stdout + stderr).not.toContain('canary');
    },
  );

  it.each([
    [{ status: 401, code: 'unauthorized' }, 4],
    [{ status: 429, code: 'rate_limited' }, 4],
    [{ status: 503, code: 'vault_unavailable' }, 5],
    [{ status: 0, code: 'network_failed' }, 3],
    [{ status: 0, code: 'timed_out' }, 3],
    [{ status: 200, code: 'answer_invalid' }, 3],
    [{ status: 0, code: 'hite_truncated' }, 6],
    [{ status: 0, code: 'plat_invalid' }, 6],
    [{ status: 0, code: 'invalid_argument' }, 2],
  ])('gives %j the exit code %i', (facts, code) => {
    expect(exitCodeOf(new ZeqError({ ...facts, detail: '' }))).toBe(code);
  });
});

describe('stored sign-ins', () => {
  const profile = { url: 'http://a', key: CANARY, slug: 'alice' };
  const open = () => new Profiles({ XDG_CONFIG_HOME: cli.folder });

  it('are kept in a file that only the owner can read, in a folder of the same kind', async () => {
    await open().save('default', profile);

    const { path } = open();
    const modes = [path, join(path, '..')].map(async (each) => ((await stat(each)).mode & 0o777).toString(8));
    expect(await Promise.all(modes)).toEqual(['600', '700']);
    expect(await open().find(undefined)).toEqual({ name: 'default', profile });
  });

  it('become the present one when they are made, and another when that one goes', async () => {
    await open().save('home', profile);
    await open().save('work', { ...profile, slug: 'bob' });

    expect((await open().find(undefined)).name).toBe('work');
    expect(await open().remove('work')).toBe(true);
    expect((await open().find(undefined)).name).toBe('home');
    expect(await open().remove('work')).toBe(false);
  });

  it('are not read from a file that others can read', async () => {
    await open().save('default', profile);
    await chmod(open().path, 0o640);

    const { code, stderr } = await cli.zeq(['apis', 'list']);

    expect([code, stderr]).toEqual([2, expect.stringContaining('can be read by others; run: chmod 600')]);
  });

  it.each(['{', '[]', '{"version":2}', '{"version":1,"current":"x","profiles":{"x":{"url":1}}}'])(
    'are not taken from a file that holds %s',
    async (text) => {
      const { path } = open();
      await mkdir(join(path, '..'), { recursive: true });
      await writeFile(path, text, { mode: 0o600 });

      await expect(open().find(undefined)).rejects.toThrow(/remove it and sign in again/);
    },
  );

  it('do not send their key to another mesh', async () => {
    await open().save('default', { ...profile, url: 'http://127.0.0.1:9' });

    const { code, stderr } = await cli.zeq(['apis', 'list', '--url', 'http://127.0.0.1:8']);

    expect([code, stderr]).toEqual([2, expect.stringContaining('not signed in at http://127.0.0.1:8')]);
  });

  it('are not found under names that every object has', async () => {
    expect((await open().find('constructor')).profile).toBeUndefined();
  });
});
