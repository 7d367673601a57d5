import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openCli } from './kit/cli.ts';

let cli: Awaited<ReturnType<typeof openCli>>;
beforeEach(async () => {
  cli = await openCli();
});
afterEach(() => cli.close());

const PASSPHRASE = 'a canary of a passphrase';
const env = { ZEQ_PASSPHRASE: PASSPHRASE };
const ROUNDS = ['--rounds', '100000'];
const CONTENT = Buffer.alloc(200_000, 'The content of a file. ');

/** A file and its .zeq. */
async function encrypted(content = CONTENT): Promise<{ plain: string; sealed: string }> {
  const plain = join(cli.folder, 'notes.txt');
  await writeFile(plain, content);
  const { code, stderr } = await cli.zeq(['hite', 'encrypt', plain, ...ROUNDS], { env });
  expect([code, stderr]).toEqual([0, '']);
  return { plain, sealed: `${plain}.zeq` };
}

describe('zeq hite encrypt and decrypt', () => {
  it('give back every byte, in files that only the owner can read', async () => {
    const { sealed } = await encrypted();
    const back = join(cli.folder, 'back.txt');

    expect((await cli.zeq(['hite', 'decrypt', sealed, '-o', back], { env })).code).toBe(0);

    expect((await readFile(back)).equals(CONTENT)).toBe(true);
    expect((await readFile(sealed)).includes('The content')).toBe(false);
    expect([(await stat(back)).mode & 0o777, (await stat(sealed)).mode & 0o777]).toEqual([0o600, 0o600]);
  });

  it('read stdin and write stdout, with the passphrase from a file', async () => {
    const file = join(cli.folder, 'passphrase');
    await writeFile(file, `${PASSPHRASE}\n`);
    const options = ['--passphrase-file', file];

    const sealed = await cli.zeq(['hite', 'encrypt', '-', ...options, ...ROUNDS], { input: CONTENT });
    const opened = await cli.zeq(['hite', 'decrypt', '-', ...options], { input: sealed.bytes });

    expect([sealed.code, opened.code, opened.bytes.equals(CONTENT)]).toEqual([0, 0, true]);
  });

  it('do not write over a file unless they are told to', async () => {
    const { plain, sealed } = await encrypted();

    const refused = await cli.zeq(['hite', 'decrypt', sealed], { env });
    const forced = await cli.zeq(['hite', 'decrypt', sealed, '--force'], { env });

    expect([refused.code, refused.stderr]).toEqual([
      1,
      `zeq: ${plain} is there already; --force replaces it\n`,
    ]);
    expect(forced.code).toBe(0);
  });

  it.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, 100_000), 6],
    [
      'changed in its last byte',
      (bytes: Buffer) => Buffer.from(bytes.map((b, i) => (i === bytes.length - 1 ? b ^ 1 : b))),
      6,
    ],
    ['changed in its header', (bytes: Buffer) => Buffer.from(bytes.map((b, i) => (i === 60 ? b ^ 1 : b))), 6],
    [
      'something else',
      () => Buffer.from('not a .zeq file at all, but long enough to be one by its length'),
      6,
    ],
  ])('leave nothing behind of a file that is %s', async (_how, change, code) => {
    const { sealed } = await encrypted();
    const broken = join(cli.folder, 'broken.zeq');
    await writeFile(broken, change(await readFile(sealed)));
    const before = await readdir(cli.folder);

    expect((await cli.zeq(['hite', 'decrypt', broken], { env })).code).toBe(code);

    expect(await readdir(cli.folder)).toEqual(before);
  });

  it('refuse a short passphrase and too few rounds before anything is written', async () => {
    const plain = join(cli.folder, 'x');
    await writeFile(plain, 'x');

    const short = await cli.zeq(['hite', 'encrypt', plain], { env: { ZEQ_PASSPHRASE: 'canary' } });
    const few = await cli.zeq(['hite', 'encrypt', plain, '--rounds', '99999'], { env });

    expect([short.code, few.code]).toEqual([2, 2]);
    expect(short.stderr).not.toContain('canary');
    expect(await readdir(cli.folder)).toEqual(['x']);
  });
});

describe('zeq verify file', () => {
  it('shows what a file says of itself, and nothing of its content', async () => {
    const { sealed } = await encrypted();

    const { code, stdout } = await cli.zeq(['verify', 'file', sealed, '--json'], { env });

    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ holds: true, bytes: CONTENT.length, rounds: 100_000 });
    expect(stdout).not.toContain('The content');
  });

  it('tells a wrong passphrase', async () => {
    const { sealed } = await encrypted();

    const { code, stderr } = await cli.zeq(['verify', 'file', sealed], {
      env: { ZEQ_PASSPHRASE: 'a canary of another one' },
    });

    expect([code, stderr]).toEqual([
      6,
      'zeq: The passphrase is wrong, or the header of the file was changed.\n',
    ]);
  });
});

describe('zeq verify ticks', () => {
  const vectors = async (): Promise<{ tick: { connections: number } }[]> =>
    JSON.parse(await readFile(new URL('../../../docs/vectors/clock.json', import.meta.url), 'utf8')).ticks;
  const lines = (ticks: object[]) => ticks.map((tick) => JSON.stringify(tick)).join('\n');

  it('believes the published chain, as lines and as a page', async () => {
    const ticks = (await vectors()).map(({ tick }) => tick);

    for (const input of [lines(ticks), JSON.stringify({ ticks })])
      expect(await cli.zeq(['verify', 'ticks', '-'], { input })).toMatchObject({
        code: 0,
        stdout: expect.stringContaining(`${ticks.length} of ${ticks.length} ticks hold`),
      });
  });

  it('names the tick that was changed', async () => {
    const ticks = (await vectors()).map(({ tick }, i) =>
      i === 2 ? { ...tick, connections: tick.connections + 1 } : tick,
    );

    const { code, stdout } = await cli.zeq(['verify', 'ticks', '-', '--json'], { input: lines(ticks) });

    expect([code, JSON.parse(stdout).faults[0]]).toEqual([6, { at: 3, fault: 'signature' }]);
  });

  it.each([
    ['no line', '', 6],
    ['a line that is not JSON', '{"type":"tick"}\nnonsense\n', 2],
  ])('does not hold for %s', async (_what, input, code) => {
    expect((await cli.zeq(['verify', 'ticks', '-'], { input })).code).toBe(code);
  });
});

describe('zeq completion', () => {
  it.each(['bash', 'zsh', 'fish'])('knows every command and option in %s', async (shell) => {
    const { code, stdout } = await cli.zeq(['completion', shell]);

    expect(code).toBe(0);
    for (const word of ['rotate', 'hite', 'decrypt', 'passphrase-file', 'data-binary', 'profile'])
      expect(stdout).toContain(word);
  });
});
