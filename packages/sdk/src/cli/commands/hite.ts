import { encryptZeqFile, MIN_PASSPHRASE_CHARS, MIN_ZEQ_FILE_ROUNDS, openZeqFile } from '@zeq/crypto/web';
import type { Command, Context, Options } from '../command.ts';
import { UsageError } from '../exit-codes.ts';
import { openInput } from '../files/input-file.ts';
import { writeWhole } from '../files/output-file.ts';
import { bytesText } from '../output.ts';
import { printable, write } from '../terminal/terminal.ts';

const SUFFIX = '.zeq';
const MAX_ROUNDS = 10_000_000;
const COMMON: Options = {
  output: { type: 'string', short: 'o', value: 'FILE', text: 'write there; - is stdout' },
  'passphrase-file': {
    type: 'string',
    value: 'FILE',
    text: 'a file that holds the passphrase (ZEQ_PASSPHRASE_FILE); - is stdin',
  },
  force: { type: 'boolean', text: 'replace a file that is there' },
};

export const hite: readonly Command[] = [
  {
    name: 'hite encrypt',
    args: '<file>',
    summary: 'encrypt a file of any size into FILE.zeq, in constant memory; - is stdin',
    details:
      'The passphrase has 12 characters or more and is asked for twice. Nothing is sent anywhere. Format: docs/vectors/zeq-file.md.',
    options: {
      ...COMMON,
      rounds: { type: 'string', value: 'N', text: 'PBKDF2 rounds (default: 600000, at least 100000)' },
    },
    examples: ['zeq hite encrypt backup.tar', 'tar c photos | zeq hite encrypt - -o photos.zeq'],
    run: encrypt,
  },
  {
    name: 'hite decrypt',
    args: '<file>',
    summary: 'decrypt a .zeq file; the result gets its name only when all of it held',
    options: COMMON,
    examples: ['zeq hite decrypt backup.tar.zeq', 'zeq hite decrypt photos.zeq -o - | tar x'],
    run: decrypt,
  },
];

async function encrypt(context: Context): Promise<void> {
  const { args, options } = context;
  const [file] = args as [string];
  const output = outputOf(context, `${file}${SUFFIX}`);
  const rounds = options.whole('rounds', { min: MIN_ZEQ_FILE_ROUNDS, max: MAX_ROUNDS });
  const source = await openInput(context, file);
  const passphrase = await askPassphrase(context, true);
  if ([...passphrase.normalize('NFC')].length < MIN_PASSPHRASE_CHARS)
    throw new UsageError(`the passphrase must have at least ${MIN_PASSPHRASE_CHARS} characters`);
  const settings = { nowMs: Date.now(), ...(rounds !== undefined && { rounds }) };
  await deliver(context, output, encryptZeqFile(source, passphrase, settings));
}

async function decrypt(context: Context): Promise<void> {
  const [file] = context.args as [string];
  const isNamed = file.endsWith(SUFFIX) && file.length > SUFFIX.length;
  const output = outputOf(context, isNamed ? file.slice(0, -SUFFIX.length) : undefined);
  const source = await openInput(context, file);
  const opened = await openZeqFile(source, await askPassphrase(context, false));
  await deliver(context, output, opened.content);
}

async function deliver(
  { options, terminal, show }: Context,
  output: string,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  if (output === '-') {
    for await (const chunk of content) await write(terminal.stdout, chunk);
    return;
  }
  const bytes = await writeWhole(output, content, { force: options.flag('force') });
  await show({ file: output, bytes }, `${printable(output)}: ${bytesText(bytes)}`);
}

function outputOf({ args, options }: Context, fallback: string | undefined): string {
  const output = options.text('output') ?? (args[0] === '-' ? '-' : fallback);
  if (output === undefined)
    throw new UsageError('--output is needed: the file has no name that ends with .zeq');
  return output;
}

export const askPassphrase = ({ options, settings }: Context, twice: boolean): Promise<string> =>
  settings.secrets.ask({
    what: 'Passphrase',
    file: options.text('passphrase-file'),
    option: '--passphrase-file',
    variable: 'ZEQ_PASSPHRASE',
    twice,
  });
