import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promptHidden } from '../src/cli/terminal/hidden-prompt.ts';
import { LineReader } from '../src/cli/terminal/line-reader.ts';
import { Secrets } from '../src/cli/terminal/secrets.ts';
import { printable } from '../src/cli/terminal/terminal.ts';
import { fakeTerminal } from './kit/fake-terminal.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zeq-sdk-secrets-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileWith(text: string): Promise<string> {
  const path = join(folder, `${Math.random()}`);
  await writeFile(path, text);
  return path;
}

describe('promptHidden', () => {
  it.each([
    ['what is typed', 'öpen sesame\r', 'öpen sesame'],
    ['what is left after corrections', 'ab\x7fc\b\bxy\r', 'xy'],
    ['what follows a line that was thrown away', 'wrong\x15right\n', 'right'],
    ['nothing at Ctrl-D', '\x04', ''],
  ])('reads %s, in raw mode, and shows none of it', async (_what, keys, secret) => {
    const { terminal, rawModes, stderr } = fakeTerminal({}, keys, true);

    expect(await promptHidden(terminal.stdin, terminal.stderr, 'Key: ')).toBe(secret);
    expect(rawModes).toEqual([true, false]);
    expect(stderr()).toBe('Key: \n');
  });

  it('ends at Ctrl-C, and gives the terminal back', async () => {
    const { terminal, rawModes } = fakeTerminal({}, 'secr\x03', true);

    await expect(promptHidden(terminal.stdin, terminal.stderr, '')).rejects.toMatchObject({ exitCode: 130 });
    expect(rawModes).toEqual([true, false]);
  });

  it('ends when the terminal goes away', async () => {
    const { terminal } = fakeTerminal({}, '', true);
    terminal.stdin.push(null);

    await expect(promptHidden(terminal.stdin, terminal.stderr, '')).rejects.toThrow('the terminal went away');
  });
});

describe('Secrets', () => {
  const ask = (env: NodeJS.ProcessEnv, input = '', question: object = {}) =>
    new Secrets(fakeTerminal(env, input).terminal).ask({
      what: 'Key',
      variable: 'ZEQ_KEY',
      option: '--key-file',
      ...question,
    });

  it('come from a file before a variable, and from a variable before stdin', async () => {
    const file = await fileWith('of the file\nmore');
    const named = await fileWith('of the named file\r\n');

    expect(await ask({ ZEQ_KEY: 'of the variable' }, 'of stdin', { file })).toBe('of the file');
    expect(await ask({ ZEQ_KEY: 'of the variable', ZEQ_KEY_FILE: named }, 'of stdin')).toBe(
      'of the named file',
    );
    expect(await ask({ ZEQ_KEY: 'of the variable' }, 'of stdin')).toBe('of the variable');
    expect(await ask({ ZEQ_KEY: '' }, 'of stdin\n')).toBe('of stdin');
    expect(await ask({ ZEQ_KEY: 'of the variable' }, 'of stdin', { file: '-' })).toBe('of stdin');
  });

  it('take one line of stdin each', async () => {
    const secrets = new Secrets(fakeTerminal({}, 'first\nsecond\n').terminal);

    expect(await secrets.ask({ what: 'a' })).toBe('first');
    expect(await secrets.ask({ what: 'b' })).toBe('second');
    await expect(secrets.ask({ what: 'c' })).rejects.toThrow('c: stdin has no line for it');
  });

  it.each([
    ['an empty stdin', {}, '', {}, 'Key: stdin has no line for it'],
    ['an empty line', {}, '\n', {}, 'Key: nothing was given'],
    ['a file that is not there', {}, '', { file: '/nowhere' }, 'Key: --key-file cannot be read (ENOENT)'],
    [
      'a named file that is not there',
      { ZEQ_KEY_FILE: '/nowhere' },
      '',
      {},
      'Key: ZEQ_KEY_FILE cannot be read (ENOENT)',
    ],
  ])('are not made up for %s', async (_what, env, input, question, text) => {
    await expect(ask(env, input, question)).rejects.toThrow(text);
  });

  it('are not read from stdin when that carries the content', async () => {
    const secrets = new Secrets(fakeTerminal({}, 'content').terminal);
    secrets.keepStdinForData();

    await expect(secrets.ask({ what: 'Key', option: '--key-file', variable: 'ZEQ_KEY' })).rejects.toThrow(
      'there is no terminal to ask at; use --key-file or ZEQ_KEY_FILE',
    );
    await expect(secrets.ask({ what: 'Key', file: '-' })).rejects.toThrow(
      'stdin carries the content already',
    );
  });

  it('are asked for twice where a slip would be dear', async () => {
    const { terminal } = fakeTerminal({}, 'one\r', true);
    const asked = new Secrets(terminal).ask({ what: 'Passphrase', twice: true });
    setImmediate(() => terminal.stdin.push('other\r'));

    await expect(asked).rejects.toThrow('the two are not the same');
  });
});

describe('LineReader', () => {
  it.each([
    ['a\nb', ['a', 'b']],
    ['a\r\nb\r\n', ['a', 'b']],
    ['\n\na', ['', '', 'a']],
    ['', []],
  ])('reads %j line by line', async (text, lines) => {
    const reader = new LineReader(fakeTerminal({}, text).terminal.stdin);
    const read: string[] = [];
    for (let line = await reader.next(); line !== undefined; line = await reader.next()) read.push(line);

    expect(read).toEqual(lines);
  });

  it('refuses a line that is no line', async () => {
    const reader = new LineReader(fakeTerminal({}, 'x'.repeat(70_000)).terminal.stdin);

    await expect(reader.next()).rejects.toThrow('too long');
  });
});

describe('printable', () => {
  it('takes from a text what a terminal obeys, and leaves the rest', () => {
    expect(printable('a\x1b[31mred\x07\x9b\r ü\n\tz')).toBe('a\\x1b[31mred\\x07\\x9b\\x0d ü\n\tz');
  });
});
